/** 256 short Danish words that a child can read and type: no letters beyond a-z, nothing rude. */
export const startWords: readonly string[] = `
  laks avis bager bakke balje ballon bamse banan bil bille bjerg blad blomst blyant bog bold bord
  brev bro bus busk cykel digt drage due dukke dyne egern ekko elg engel fakkel fane farve fest
  finger fisk flag flamme flod flue fod folk fred frost fugl gade gaffel garn gave ged glas gnist
  gran gren lind guld gulv hage hal hane hare hat hav have hegn hest hjerte hjort hjul honning
  horn hul hund hus hval hvede ild insekt jakke jern jord jul jungle kage kamel kande kanin kano
  kasse kat kegle kikkert kilde kiste kjole klokke knap kaffe komet kop korn kost krabbe kran krans
  kridt krone kugle kurv lade lam lampe land latter leg lejr lilje lim linje loft lyd lyn lys
  magnet maler mark maske mejse melon mose motor mund mus musik nabo nat navn nisse nord note orm
  ost otter panda pande papir park peber pen pensel pil pinde plade plante pony port prins pude
  puma pumpe radio ramme ravn regn rejse ridder ring ris robot rose minut rude rytter saft saks
  salat sang sav seng sild silke skab skib skilt skole skov sky slange slik slot smil sne snegl
  snor sofa sok sol sommer sovs spade spejl spil spurv stald sten sti stjerne stol storm strand
  stribe sukker suppe svale svamp svane syd tag tand tang tante tavle tegning telt terning tiger
  tog tomat top torn torsk tov trappe trold trommer tunnel tur tusch ugle ulv urt vand vase vej
  ven verden vest vind vinge vinter violin vogn vugge vulkan zebra
`
  .trim()
  .split(/\s+/);

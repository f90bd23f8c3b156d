import type { CauseCode } from './cause-english.ts';

/** What happened and what to do, for every code that a row can fail or wait with, in Danish. */
export const danish: Readonly<Record<CauseCode, string>> = {
  'waits-for-accounts':
    'Nogle af personerne har ikke fået deres konto her endnu. Det følger af sig selv; se på kontiene, hvis det varer ved.',
  'no-outcome':
    'Forbindelsen gav intet svar for netop denne. Den prøves igen; meld det, hvis det varer ved.',
  'connector-defect':
    'Forbindelsen til systemet fejlede. Det prøves igen; loggen siger, hvad der er galt.',
  unreachable: 'Systemet svarer ikke. Se efter, om det kører, og se adressen og netværket efter.',
  'out-of-reach':
    'Systemet svarer ikke. Se efter, om det kører, og se adresse, netværk og certifikat efter.',
  'no-connection':
    'Systemet svarer ikke. Se efter, om det kører, og se adresse, netværk og certifikat efter.',
  'no-answer': 'Systemet tog imod og svarede aldrig. Se på dets belastning og log.',
  timeout: 'Systemet svarede for sent. Det prøves igen; se på dets belastning, hvis det varer ved.',
  'connection-lost': 'Forbindelsen røg undervejs. Næste forsøg undersøger, hvad der nåede at ske.',
  'answer-lost': 'Svaret gik tabt undervejs. Næste forsøg undersøger, hvad der nåede at ske.',
  'answer-cut': 'Svaret sluttede midt i. Næste forsøg undersøger, hvad der nåede at ske.',
  'bad-answer': 'Svaret kunne ikke forstås. Se efter, om adressen er det rigtige systems.',
  'unexpected-answer': 'Svaret kunne ikke forstås. Se efter, om adressen er det rigtige systems.',
  'not-nextcloud': 'Det, der svarer på adressen, er ikke en Nextcloud. Se adressen efter.',
  'server-error': 'Systemet fejlede, mens det skrev. Det prøves igen; dets log siger hvorfor.',
  busy: 'Systemet har travlt og beder om at vente. Det prøves igen af sig selv.',
  'too-many-requests':
    'Systemet beder om en pause. Det prøves igen af sig selv; undtag Skolebus fra grænsen, hvis det varer ved.',
  'edit-limit':
    'Nextcloud tager imod 50 ændringer af profiler på ti minutter. Det fortsætter af sig selv; skolebus check fortæller, hvordan grænsen løftes, før meget skal ændres.',
  maintenance: 'Systemet er lukket for vedligehold. Det prøves igen, når det er åbent.',
  'sign-in-refused':
    'Systemet afviser Skolebus’ egen adgang. Se konto, adgangskode eller nøgle efter, og begge ure.',
  'realm-missing': 'Realmet findes ikke i Keycloak. Opret det, eller ret navnet i targets.yaml.',
  'not-prepared':
    'Realmet ville tabe vores oplysninger. Kør en synkronisering eller et tjek, som gør det klar.',
  'confirmation-refused':
    'Nextcloud vil ikke skrive med en app-adgangskode. Giv Skolebus kontoens rigtige adgangskode.',
  'oidc-provider-missing':
    'Loginudbyderen er ikke sat op i Nextcloud. Lav den med occ user_oidc:provider, eller ret dens navn.',
  'oidc-provider-unsafe':
    'Loginudbyderen ville ændre bruger-id’er, og ingen ville komme ind. Sæt --unique-uid=0, og slå udbyderens egne id’er fra.',
  'web-services-off': 'Webservices er slået fra i Moodle. Slå dem og REST-protokollen til.',
  'invalid-token': 'Moodle kender ikke nøglen. Lav en ny, og læg den i hemmeligheden.',
  'function-not-allowed':
    'Moodle lader ikke nøglen kalde en funktion, der skal bruges. Føj den til nøglens tjeneste.',
  'token-user-suspended': 'Nøglens bruger er spærret i Moodle. Åbn kontoen igen.',
  'token-user-deleted': 'Nøglens bruger er slettet i Moodle. Lav en ny bruger og en ny nøgle.',
  'token-user-unconfirmed': 'Nøglens bruger er ikke bekræftet i Moodle. Bekræft kontoen.',
  'token-user-expired': 'Adgangskoden for nøglens bruger er udløbet i Moodle. Sæt en ny.',
  'token-user-may-not-log-in': 'Nøglens bruger må ikke logge ind i Moodle. Skift dens loginmetode.',
  'welcome-mail-failed':
    'Moodle skrev det, og så fejlede velkomstmailen. Ret Moodles mail, eller slå mailen fra i tilmeldingsmetoden.',
  'no-right':
    'Skolebus mangler en rettighed i systemet. Giv kontoen den rolle, der mangler; det prøves igen af sig selv.',
  'no-permission':
    'Skolebus mangler en rettighed i Moodle. Giv rollen for nøglens bruger rettigheden, og prøv igen.',
  'not-admin': 'Skolebus’ konto er ikke administrator i Nextcloud. Gør den til det.',
  'not-ours':
    'Det, der står der, bærer ikke vores mærke og røres ikke. Lad skolebus adopt foreslå en overtagelse, eller fjern det.',
  'username-taken':
    'En konto, som ikke er vores, har brugernavnet. Lad skolebus adopt foreslå en overtagelse, eller omdøb den.',
  'email-taken':
    'En anden konto har e-mailen. Fjern den dér, eller lad skolebus adopt foreslå en overtagelse.',
  'link-taken': 'En anden konto er bundet til dette login. Fjern først bindingen i Keycloak.',
  'group-name-taken':
    'En gruppe, som ikke er vores, har navnet. Lad skolebus adopt foreslå en overtagelse, eller omdøb den.',
  'group-taken':
    'En gruppe med dette id findes og er ikke vores. Lad skolebus adopt foreslå en overtagelse, eller fjern den.',
  'mount-point-hidden':
    'I Skolebus-kontoens eget hjem i Nextcloud ligger noget med mappens navn. Tøm hjemmet.',
  'subfolder-refused':
    'Nextcloud afviser navnet på en undermappe eller dens rettigheder. Ret det i politikken.',
  'subfolder-write-failed':
    'Rettighederne inde i en Team-mappe kunne ikke sættes. De prøves igen; Team folders 17 kan det ikke, opgrader.',
  'files-not-transferred':
    'Kontoen skal slettes, men dens filer skal bevares. Kør occ files:transfer-ownership på serveren; resten sker af sig selv.',
  'mount-point-taken':
    'En anden teammappe har navnet. Lad skolebus adopt foreslå en overtagelse, eller omdøb den.',
  'shortname-taken':
    'Et andet kursus har det korte navn. Lad skolebus adopt foreslå en overtagelse, eller omdøb det.',
  'mark-taken': 'Noget andet bærer vores mærke i sit id-nummer. Fjern det dér, og prøv igen.',
  'name-held': 'En anden af vores egne har stadig navnet. Det følger, når den har sluppet det.',
  'created-meanwhile': 'Nogen lavede kontoen i samme øjeblik. Næste forsøg ser på den.',
  conflict: 'To skrev på samme tid. Det prøves igen af sig selv.',
  'username-refused':
    'Systemet tager ikke imod brugernavnet. Ret reglen for brugernavne i politikken.',
  'invalid-username':
    'Systemet tager ikke imod brugernavnet. Ret reglen for brugernavne i politikken.',
  'account-refused': 'Nextcloud afviser bruger-id eller vist navn. Se på begge i planen.',
  'account-protected':
    'Kontoen er administrator eller vores egen og ændres aldrig. Omdøb den anden.',
  administrator: 'Kontoen er administrator af Moodle og slettes ikke. Tag først rollen fra den.',
  'invalid-email': 'Systemet tager ikke imod e-mailen. Ret den i skolens system.',
  'email-refused': 'Nextcloud tager ikke imod e-mailen. Ret den i skolens system.',
  'invalid-name': 'Systemet tager ikke imod navnet. Ret det i skolens system eller i politikken.',
  'display-name-refused':
    'Nextcloud tager ikke imod det viste navn, som må fylde 64 tegn. Gør det kortere ved kilden.',
  'invalid-attribute': 'Systemet tager ikke imod en af oplysningerne. Planen viser, hvilke der er.',
  'undeclared-attribute':
    'Realmet ville tabe en af oplysningerne. Opret den i realmets brugerprofil.',
  'invalid-parameter': 'Moodle tager ikke imod en af værdierne. Se på dem i planen.',
  'too-long':
    'Et navn eller en e-mail fylder mere, end Moodle har plads til (100 tegn). Gør det kortere ved kilden.',
  'quota-refused': 'Nextcloud tager ikke imod pladsgrænsen. Ret den i politikken.',
  'language-refused': 'Nextcloud kender ikke sproget. Ret det i politikken.',
  'password-refused':
    'Nextcloud afviste en tilfældig adgangskode. Se på dens krav til adgangskoder.',
  'group-id-empty': 'Gruppen ville få et tomt id. Ret navnet i politikken.',
  'group-id-space': 'Gruppens id begynder eller ender med et mellemrum. Ret navnet i politikken.',
  'group-id-too-long': 'Gruppens id fylder mere end 64 tegn. Gør navnet kortere i politikken.',
  'group-protected': 'Gruppen er Nextclouds egen og slettes aldrig.',
  'mount-point-empty': 'Mappen ville ikke få noget navn. Ret navnet i politikken.',
  'end-before-start': 'Kurset ville slutte, før det begynder. Ret datoerne ved kilden.',
  'end-without-start': 'Kurset har en sidste dag og ingen første. Ret datoerne ved kilden.',
  'read-only': 'Keycloak lader os ikke ændre feltet. Gør realmet klar igen (editUsernameAllowed).',
  refused: 'Systemet afviste den og sagde ikke hvorfor. Dets log gør måske.',
  'needs-group': 'En gruppe, den hører til, findes ikke endnu. Den følger, når gruppen er der.',
  'parent-missing': 'Kategorien over den findes ikke endnu. Den følger, når den er der.',
  'category-missing': 'Dens kategori findes ikke endnu. Den følger, når kategorien er der.',
  'account-missing':
    'En person i den har ikke længere nogen konto. Den følger, når kontoen er der igen.',
  'account-gone': 'Kontoen forsvandt, mens den blev skrevet. Næste forsøg laver den igen.',
  'course-missing': 'Kurset forsvandt i Moodle. Næste forsøg laver det igen.',
  'record-missing': 'Den forsvandt i Moodle. Næste forsøg laver den igen.',
  'gone-meanwhile': 'Den forsvandt, mens den blev skrevet. Næste forsøg laver den igen.',
  'has-children': 'Der ligger stadig grupper af vores under den. Den slettes, når de er væk.',
  'holds-foreign-groups':
    'Der ligger grupper under den, som ikke er vores. Flyt dem, og prøv igen.',
  'category-not-empty':
    'Der ligger stadig noget i kategorien. Flyt det, der ikke er vores, og prøv igen; vores eget går først af sig selv.',
  'last-category': 'Moodle beholder sin sidste kategori, og det er denne. Lav først en anden.',
  'category-loop': 'Kategorien ville ligge under sig selv. Ret kategoriernes orden.',
  'auth-plugin-missing':
    'Politikkens loginmetode er ikke installeret i denne Moodle. Installer den, eller ret politikken.',
  'manual-enrolment-missing':
    'Kurset har ikke manuel tilmelding. Føj metoden til kurset, og prøv igen.',
  'role-not-assignable':
    'Nøglens bruger må ikke give denne rolle. Tillad det under rollens tildelinger i Moodle.',
  'no-start-secret':
    'Politikken giver startkoder, og målet har ingen hemmelighed til dem. Nævn den i targets.yaml (startPasswordEnv).',
  'admin-role':
    'Rollen styrer selve Keycloak og gives aldrig til en gruppe. Tag den ud af politikken.',
  'role-missing':
    'Keycloak har ikke sådan en rolle. Opret den, eller ret navnet i politikken; det prøves igen af sig selv.',
  'template-missing':
    'Intet kursus har skabelonens korte navn. Lav det, eller ret politikken; det prøves igen af sig selv.',
  'copy-unfinished': 'Moodle er stadig ved at kopiere kurset. Der ses efter igen af sig selv.',
  'account-create-failed':
    'Nextcloud kunne ikke oprette kontoen. Det prøves igen; dens log siger hvorfor.',
  'create-failed': 'Keycloak kunne ikke oprette kontoen. Det prøves igen; dens log siger hvorfor.',
  'group-create-failed':
    'Nextcloud kunne ikke oprette gruppen. Det prøves igen; dens log siger hvorfor.',
  'group-rename-failed':
    'Nextcloud kunne ikke omdøbe gruppen. Det prøves igen; dens log siger hvorfor.',
  'group-delete-failed':
    'Nextcloud kunne ikke slette gruppen. Det prøves igen; dens log siger hvorfor.',
  'folder-write-failed':
    'Nextcloud kunne ikke ændre teammappen. Det prøves igen; dens log siger hvorfor.',
  'join-failed':
    'Nextcloud kunne ikke sætte personen i en gruppe. Det prøves igen; dens log siger hvorfor.',
  'leave-failed':
    'Nextcloud kunne ikke tage personen ud af en gruppe. Det prøves igen; dens log siger hvorfor.',
  'enable-failed': 'Nextcloud kunne ikke åbne kontoen. Det prøves igen; dens log siger hvorfor.',
  'disable-failed': 'Nextcloud kunne ikke lukke kontoen. Det prøves igen; dens log siger hvorfor.',
  'delete-failed': 'Nextcloud kunne ikke slette kontoen. Det prøves igen; dens log siger hvorfor.',
  'database-write-failed':
    'Moodles database afviste den. Den prøves igen nogle gange; Moodles log siger hvorfor.',
  'look-first': 'Noget i portionen står der allerede. Næste forsøg ser efter, før det skriver.',
  'unexpected-warning':
    'Moodle svarede med en advarsel, som Skolebus ikke kender. Loggen siger hvilken; meld det.',
  'not-reached': 'Portionen sluttede, før turen kom. Den prøves igen af sig selv.',
  'not-tried': 'Portionen sluttede, før turen kom. Den prøves igen af sig selv.',
  'unknown-kind': 'Systemet har intet af den slags. Ret ruterne i politikken.',
  'kind-unknown': 'Systemet har intet af den slags. Ret ruterne i politikken.',
  'no-such-kind': 'Systemet har intet af den slags. Ret ruterne i politikken.',
};

/** Ids, passwords, languages and the like that the server refuses, with its own words. */

const reserved = new Set([
  '.htaccess',
  '.ncdata',
  '__groupfolders',
  'appdata',
  'audit.log',
  'files_external',
  'nextcloud.log',
  'owncloud.log',
  'updater.log',
]);

/** Message of code 101, or null; recording nextcloud-34.0.1/05. */
export function refuseUserId(id: string): string | null {
  if (id === '') return 'A valid Login must be provided';
  if (/[^a-zA-Z0-9 _.@\-']/.test(id)) {
    return 'Only the following characters are allowed in an Login: "a-z", "A-Z", "0-9", spaces and "_.@-\'"';
  }
  if (id.trim() !== id) return 'Login contains whitespace at the beginning or at the end';
  if (/^\.+$/.test(id)) return 'Login must not consist of dots only';
  if (id.length > 64) return 'Username is too long';
  if (reserved.has(id)) return 'Login is invalid because files already exist for this user';
  return null;
}

/**
 * Message of code 107, or null; recording nextcloud-34.0.1/06. The real server looks into a list of a
 * million passwords; here those count as common that are short, or of few characters and without any
 * other than letters and digits.
 */
export function refusePassword(password: string): string | null {
  const short = password.length < 10;
  const common = short || /^[a-z0-9]{1,12}$/i.test(password);
  const messages: string[] = [];
  if (common) {
    messages.push('Password is among the 1,000,000 most common ones. Please make it unique.');
  }
  if (short) messages.push('Password needs to be at least 10 characters long.');
  return messages.length === 0 ? null : messages.join(' ');
}

const languages = new Set(
  'ar bg ca cs cs_CZ da de de_DE el en en_GB es et_EE eu fa fi fo fr ga gl he hr hu is it ja kl ko lt_LT lv mk nb nb_NO nl nn_NO pl pt_BR pt_PT ro ru sc sk sl sr sv tr ug uk vi zh_CN zh_HK zh_TW'.split(
    ' ',
  ),
);

export function knowsLanguage(language: string): boolean {
  return languages.has(language);
}

export function isMailAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text) || /^[^\s@]+@localhost$/.test(text);
}

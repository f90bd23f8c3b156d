import { fieldOf } from './exchange.ts';
import { type OcsResult, ok, refuse } from './ocs.ts';
import { type Call, crash, governs } from './route.ts';
import { hashSecret, saveUser, type User } from './state.ts';
import { isMailAddress, knowsLanguage, refusePassword } from './user-rules.ts';
import { parseSize } from './user-view.ts';

const plainFields = new Set(
  'phone address website twitter bluesky fediverse organisation role headline biography profile_enabled pronouns birthdate timezone first_day_of_week notify_email additional_mail'.split(
    ' ',
  ),
);

/** One attribute of an account; recordings nextcloud-34.0.1/09 and 10. */
export function editUser(p: {
  readonly call: Call;
  readonly user: User;
  readonly key: string;
  readonly value: string;
}): OcsResult {
  const { call, user, key, value } = p;
  const result = change(p);
  if (result.code === 200) {
    if (plainFields.has(key)) user.fields[key] = value;
    saveUser(call.state, user);
  }
  return result;
}

/**
 * Several fields at once, all or nothing. A display name that is too long passes the examination and
 * crashes, a quota that is no size is taken for zero. Null when all is written.
 */
export function editWholeUser(p: { readonly call: Call; readonly user: User }): OcsResult | null {
  const { call, user } = p;
  const named = (name: string) => fieldOf(call.ask, name);
  const [displayName, email, language] = [named('displayName'), named('email'), named('language')];
  const errors: Record<string, string> = {};
  if (displayName !== undefined && user.backend !== 'Database') {
    errors['displayName'] = 'Cannot change display name for this user';
  }
  if (email !== undefined && email !== '' && !isMailAddress(email)) {
    errors['email'] = 'Invalid email address';
  }
  if (language !== undefined && !knowsLanguage(language)) errors['language'] = 'Invalid language';
  if (Object.keys(errors).length > 0) return { code: 422, message: '', data: { errors } };
  if (displayName !== undefined && displayName.length > 64) return crash();
  if (displayName !== undefined) user.displayName = displayName === '' ? user.id : displayName;
  if (email !== undefined) user.email = email.trim().toLowerCase();
  const quota = named('quota');
  if (quota !== undefined) user.quota = parseSize(quota) === null ? '0 B' : quota;
  if (language !== undefined) user.language = language;
  saveUser(call.state, user);
  return null;
}

function change(p: {
  readonly call: Call;
  readonly user: User;
  readonly key: string;
  readonly value: string;
}): OcsResult {
  const { call, user, key, value } = p;
  const { badValue, unknownKey } = call.behaviour;
  switch (key) {
    case 'display':
    case 'displayname':
      if (user.backend !== 'Database') return refuse(unknownKey);
      if (value.length > 64) return refuse(101, 'Invalid displayname');
      // An empty name answers 200 and changes nothing.
      if (value !== '') user.displayName = value;
      return ok();
    case 'email':
      if (value !== '' && !isMailAddress(value)) return refuse(badValue);
      user.email = value;
      return ok();
    case 'quota':
      if (!governs(call.caller, user)) return refuse(unknownKey);
      if (parseSize(value) === null) return refuse(badValue, `Invalid quota value: ${value}`);
      user.quota = value;
      return ok();
    case 'language':
      if (!knowsLanguage(value)) return refuse(badValue, 'Invalid language');
      user.language = value;
      return ok();
    case 'locale':
      user.locale = value;
      return ok();
    case 'manager':
      user.manager = value;
      return ok();
    case 'password':
      return changePassword(p);
    default:
      return plainFields.has(key) ? ok() : refuse(unknownKey);
  }
}

function changePassword(p: { readonly call: Call; readonly user: User; readonly value: string }) {
  if (p.user.backend !== 'Database') {
    return refuse(112, 'Setting the password is not supported by the users backend');
  }
  const weak = refusePassword(p.value);
  if (weak !== null) return refuse(p.call.behaviour.weakPasswordAtEdit, weak);
  p.user.password = hashSecret(p.value);
  return ok();
}

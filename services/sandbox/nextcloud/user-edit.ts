import { type OcsResult, ok, refuse } from './ocs.ts';
import { type Call, governs } from './route.ts';
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

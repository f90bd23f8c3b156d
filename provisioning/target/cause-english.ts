/** What happened and what to do, for every code that a row can fail or wait with. */
export const english = {
  // The ledger's own.
  'waits-for-accounts':
    'Some of its people have no account here yet. It follows by itself; look at the accounts if it lasts.',
  'no-outcome':
    'The connector gave no answer for this row. It is tried again; report it if it lasts.',
  'connector-defect':
    'The connector failed on this batch. It is tried again; the log says what is wrong.',
  // The server as a whole.
  unreachable: 'The server does not answer. Check that it runs, its address and the network.',
  'out-of-reach':
    'The server does not answer. Check that it runs, its address, the network and the certificate.',
  'no-connection':
    'The server does not answer. Check that it runs, its address, the network and the certificate.',
  'no-answer': 'The server took the question and never answered. Look at its load and its log.',
  timeout: 'The server answered too late. It is tried again; look at its load if it lasts.',
  'connection-lost': 'The connection broke midway. The next try finds out what was written.',
  'answer-lost': 'The answer was lost on the way. The next try finds out what was written.',
  'answer-cut': 'The answer ended midway. The next try finds out what was written.',
  'bad-answer':
    'The answer could not be understood. Check that the address is that of the right server.',
  'unexpected-answer':
    'The answer could not be understood. Check that the address is that of the right server.',
  'not-nextcloud': 'What answers there is not a Nextcloud. Check the address.',
  'server-error': 'The server failed while it wrote. It is tried again; its log says why.',
  busy: 'The server is busy and asks to wait. It is tried again by itself.',
  'too-many-requests':
    'The server asks for a pause. It is tried again by itself; exempt Skolebus from its limit if it lasts.',
  'edit-limit':
    'Nextcloud takes 50 changes of profiles in ten minutes. It goes on by itself; skolebus check says how to lift the limit before much is changed.',
  maintenance: 'The server is closed for maintenance. It is tried again when it is open.',
  'sign-in-refused':
    "The server refuses Skolebus' own sign-in. Check its account, its password or secret, and both clocks.",
  'realm-missing':
    'The realm does not exist in Keycloak. Create it, or correct its name in targets.yaml.',
  'not-prepared': 'The realm would drop our attributes. Run a sync or a check, which prepares it.',
  'confirmation-refused':
    'Nextcloud refuses to write with an app password. Give Skolebus the real password of its account.',
  'oidc-provider-missing':
    'The sign-in provider is not set up in Nextcloud. Make it with occ user_oidc:provider, or correct its identifier.',
  'oidc-provider-unsafe':
    'The sign-in provider would change user ids, and nobody would get in. Set --unique-uid=0 and switch provider-based ids off.',
  'web-services-off':
    'Web services are switched off in Moodle. Switch them and the REST protocol on.',
  'invalid-token': 'Moodle does not know the token. Make a new one and put it into the secret.',
  'function-not-allowed':
    "Moodle does not let the token call a function that is needed. Add it to the token's service.",
  'token-user-suspended': "The token's user is suspended in Moodle. Open the account again.",
  'token-user-deleted': "The token's user was deleted in Moodle. Make a user and a token anew.",
  'token-user-unconfirmed': "The token's user is not confirmed in Moodle. Confirm the account.",
  'token-user-expired': "The password of the token's user has expired in Moodle. Set a new one.",
  'token-user-may-not-log-in':
    "The token's user may not log in to Moodle. Change its sign-in method.",
  'welcome-mail-failed':
    'Moodle wrote it, and then its welcome mail failed. Mend its mail, or switch the mail off in the enrolment method.',
  'no-right':
    'Skolebus lacks a right in the server. Give its account the missing role; it is tried again by itself.',
  'no-permission':
    "Skolebus lacks a right in Moodle. Give the role of the token's user the right, then try again.",
  'not-admin': "Skolebus' account is no administrator in Nextcloud. Make it one.",
  // Something of the same name, or with another owner.
  'not-ours':
    'What stands there does not carry our mark, so it is left alone. Let skolebus adopt propose a link, or remove it.',
  'username-taken':
    'An account that is not ours has the username. Let skolebus adopt propose a link, or rename it.',
  'email-taken':
    'Another account has the e-mail. Clear it there, or let skolebus adopt propose a link.',
  'link-taken': 'Another account is linked to this login. Remove that link in Keycloak first.',
  'group-name-taken':
    'A group that is not ours has the name. Let skolebus adopt propose a link, or rename it.',
  'group-taken':
    'A group with this id is there and not ours. Let skolebus adopt propose a link, or remove it.',
  'mount-point-hidden':
    "The home of Skolebus' Nextcloud account holds something of the folder's name. Empty that home.",
  'subfolder-refused':
    'Nextcloud refuses the name of a subfolder or its rights. Correct it in the policy.',
  'subfolder-write-failed':
    'The rights inside a Team folder could not be set. They are tried again; Team folders 17 cannot, upgrade them.',
  'files-not-transferred':
    'The account is to be deleted, but its files are to be kept. Run occ files:transfer-ownership on the server; it follows by itself.',
  'mount-point-taken':
    'Another Team folder has the name. Let skolebus adopt propose a link, or rename it.',
  'shortname-taken':
    'Another course has the short name. Let skolebus adopt propose a link, or rename it.',
  'mark-taken': 'Something else carries our mark in its ID number. Clear it there, then try again.',
  'name-held': 'Another of our own has the name still. It follows when that one has let go of it.',
  'created-meanwhile': 'Somebody made the account at the same moment. The next try looks at it.',
  conflict: 'Two wrote it at the same time. It is tried again by itself.',
  // Values that a server does not take.
  'username-refused':
    'The server does not take the username. Change the username rule in the policy.',
  'invalid-username':
    'The server does not take the username. Change the username rule in the policy.',
  'account-refused': 'Nextcloud refuses the user id or the shown name. Look at both in the plan.',
  'account-protected':
    'The account is an administrator or our own, and is never changed. Rename the other one.',
  administrator:
    'The account is a site administrator, and is not deleted. Take the role away first.',
  'invalid-email': 'The server does not take the e-mail. Correct it in the school administration.',
  'email-refused': 'Nextcloud does not take the e-mail. Correct it in the school administration.',
  'invalid-name':
    'The server does not take the name. Correct it in the school administration or the policy.',
  'display-name-refused':
    'Nextcloud does not take the shown name, which may hold 64 characters. Shorten it at the source.',
  'invalid-attribute':
    'The server does not take one of the details. The plan shows which ones there are.',
  'undeclared-attribute':
    'The realm would drop one of the details. Declare it in the user profile of the realm.',
  'invalid-parameter': 'Moodle does not take one of the values. Look at them in the plan.',
  'too-long':
    'A name or an e-mail is longer than Moodle holds (100 characters). Shorten it at the source.',
  'quota-refused': 'Nextcloud does not take the quota. Correct it in the policy.',
  'language-refused': 'Nextcloud does not know the language. Correct it in the policy.',
  'password-refused': 'Nextcloud refused a made-up password. Look at its password rules.',
  'group-id-empty': 'The group would have an empty id. Correct its name in the policy.',
  'group-id-space': 'The group id begins or ends with a space. Correct its name in the policy.',
  'group-id-too-long': 'The group id is longer than 64 characters. Shorten its name in the policy.',
  'group-protected': 'The group belongs to Nextcloud itself and is never deleted.',
  'mount-point-empty': 'The folder would have no name. Correct the name in the policy.',
  'end-before-start': 'The course would end before it begins. Correct its dates at the source.',
  'end-without-start':
    'The course has a last day and no first one. Correct its dates at the source.',
  'read-only':
    'Keycloak does not let us change the field. Prepare the realm again (editUsernameAllowed).',
  refused: 'The server refused the row and did not say why. Its log may.',
  // What must be there first, or is gone.
  'needs-group': 'A group that it belongs to is not there yet. It follows when the group is there.',
  'parent-missing': 'The category above it is not there yet. It follows when that one is there.',
  'category-missing': 'Its category is not there yet. It follows when the category is there.',
  'account-missing':
    'A person in it has no account any more. It follows when the account is there again.',
  'account-gone': 'The account vanished while it was written. The next try makes it again.',
  'course-missing': 'The course vanished in Moodle. The next try makes it again.',
  'record-missing': 'It vanished in Moodle. The next try makes it again.',
  'gone-meanwhile': 'It vanished while it was written. The next try makes it again.',
  'has-children': 'Groups of ours still lie below it. It is deleted when they are.',
  'holds-foreign-groups': 'Groups that are not ours lie below it. Move them, then try again.',
  'category-not-empty':
    'Something lies in the category still. Move what is not ours, then try again; our own goes first by itself.',
  'last-category': 'Moodle keeps its last category, and this is it. Make another one first.',
  'category-loop': 'The category would lie below itself. Correct the order of the categories.',
  // Plugins and settings.
  'auth-plugin-missing':
    'The sign-in method of the policy is not installed in this Moodle. Install the plugin, or change the policy.',
  'manual-enrolment-missing':
    'The course has no manual enrolment. Add that method to the course, then try again.',
  'role-not-assignable':
    "The token's user may not give this role. Allow it under the role's assignments in Moodle.",
  'no-start-secret':
    'The policy gives start passwords and the target has no secret for them. Name it in targets.yaml (startPasswordEnv).',
  'admin-role':
    'The role administers Keycloak itself and is never given to a group. Take it out of the policy.',
  'role-missing':
    'Keycloak has no such role. Make it there, or correct its name in the policy; it is tried again by itself.',
  'template-missing':
    'No course has the short name of the template. Make it, or correct the policy; it is tried again by itself.',
  'copy-unfinished': 'Moodle is still copying the course. It is looked at again by itself.',
  // Steps that a server failed at without a reason.
  'account-create-failed':
    'Nextcloud could not make the account. It is tried again; its log says why.',
  'create-failed': 'Keycloak could not make the account. It is tried again; its log says why.',
  'group-create-failed': 'Nextcloud could not make the group. It is tried again; its log says why.',
  'group-rename-failed':
    'Nextcloud could not rename the group. It is tried again; its log says why.',
  'group-delete-failed':
    'Nextcloud could not delete the group. It is tried again; its log says why.',
  'folder-write-failed':
    'Nextcloud could not change the Team folder. It is tried again; its log says why.',
  'join-failed':
    'Nextcloud could not put the person into a group. It is tried again; its log says why.',
  'leave-failed':
    'Nextcloud could not take the person out of a group. It is tried again; its log says why.',
  'enable-failed': 'Nextcloud could not open the account. It is tried again; its log says why.',
  'disable-failed': 'Nextcloud could not close the account. It is tried again; its log says why.',
  'delete-failed': 'Nextcloud could not delete the account. It is tried again; its log says why.',
  'database-write-failed':
    "Moodle's database refused it. It is tried again a few times; Moodle's log says why.",
  'look-first': 'Something of the batch stands there already. The next try looks before it writes.',
  'unexpected-warning':
    'Moodle answered with a warning that Skolebus does not know. The log says which; report it.',
  'not-reached': 'The batch ended before its turn. It is tried again by itself.',
  'not-tried': 'The batch ended before its turn. It is tried again by itself.',
  'unknown-kind': 'The server has nothing of this kind. Correct the routes of the policy.',
  'kind-unknown': 'The server has nothing of this kind. Correct the routes of the policy.',
  'no-such-kind': 'The server has nothing of this kind. Correct the routes of the policy.',
} as const;

export type CauseCode = keyof typeof english;

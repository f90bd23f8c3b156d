#!/bin/sh
# Runs before every start, as the web server's account: the two apps Skolebus works with, and the
# login through Keycloak in its strict setting. Every line may run again without effect.
set -eu
cd /var/www/html

for app in groupfolders user_oidc; do
  php occ app:enable "$app" || php occ app:install "$app"
done

# Each call of user_oidc's provisioning copies the skeleton again, over files people have edited.
php occ config:system:set skeletondirectory --value=
php occ config:system:set templatedirectory --value=

# Without it every account needs an edit of its own for its language, and edits are rationed: 50 in ten
# minutes for an administrator too (docs/decisions/0027). Skolebus is the one that edits here.
php occ config:system:set default_language --value=da
edits=provisioning_api.users.edituser
php occ config:system:set ratelimit_overwrite "$edits" user limit --type=integer --value=100000
php occ config:system:set ratelimit_overwrite "$edits" user period --type=integer --value=60
# Accounts are made before their people come: no welcome mail to a whole school.
php occ config:app:set core newUser.sendEmail --value=no

# Keycloak is reached by its name inside the network, which Nextcloud takes for a local address.
php occ config:system:set allow_local_remote_servers --type=boolean --value=true

# Login must overwrite nothing: names, quota and groups come from Skolebus. "x_none" is a claim that
# no token has.
php occ user_oidc:provider keycloak \
  --clientid=nextcloud \
  --clientsecret-env=NEXTCLOUD_OIDC_SECRET \
  --discoveryuri=http://keycloak:8080/realms/kommune/.well-known/openid-configuration \
  --scope=openid \
  --unique-uid=0 \
  --mapping-uid=preferred_username \
  --send-id-token-hint=1 \
  --mapping-display-name=x_none --mapping-email=x_none --mapping-quota=x_none \
  --mapping-groups=x_none --mapping-locale=x_none --mapping-language=x_none \
  --check-bearer=0 --bearer-provisioning=0 --group-provisioning=0
# Unknown visitors are refused: accounts are written ahead by Skolebus, and by nobody else.
php occ config:system:set user_oidc soft_auto_provision --type=boolean --value=false
php occ config:system:set user_oidc disable_account_creation --type=boolean --value=true

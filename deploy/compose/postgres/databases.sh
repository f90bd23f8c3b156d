#!/usr/bin/env bash
# Runs once, when the volume is new: a database per server, each with a role that owns only that.
set -euo pipefail

make_database() {
  psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --set name="$1" --set password="$2" <<'SQL'
create role :"name" login nosuperuser password :'password';
create database :"name" owner :"name" encoding 'UTF8' template template0;
revoke connect on database :"name" from public;
SQL
}

make_database skolebus "$SKOLEBUS_DB_PASSWORD"
make_database keycloak "$KEYCLOAK_DB_PASSWORD"
make_database nextcloud "$NEXTCLOUD_DB_PASSWORD"
make_database moodle "$MOODLE_DB_PASSWORD"

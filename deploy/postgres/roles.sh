#!/bin/sh
# Makes DocBook's roles and sets their passwords. libpq gives the superuser's connection (PGHOST,
# PGUSER, PGPASSWORD, ...). Each password is NAME, or the content of the file in NAME_FILE.
set -eu

# Only the shell reads them: no command line shows a password.
PGPASSWORD=${PGPASSWORD:-$(cat "${PGPASSWORD_FILE:?set PGPASSWORD}")}
OWNER_PASSWORD=${OWNER_PASSWORD:-$(cat "${OWNER_PASSWORD_FILE:?set OWNER_PASSWORD}")}
APP_PASSWORD=${APP_PASSWORD:-$(cat "${APP_PASSWORD_FILE:?set APP_PASSWORD}")}
export PGPASSWORD OWNER_PASSWORD APP_PASSWORD

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --single-transaction \
    --file="$(dirname "$0")/roles.sql" --file="$(dirname "$0")/passwords.sql"

#!/bin/sh
# Makes DocBook's roles and sets their passwords. The superuser's connection is that of libpq (PGHOST,
# PGUSER, PGPASSWORD, ...). Each password is NAME, or what lies in the file that NAME_FILE names.
set -eu

# The shell alone reads them: no command line shows a password.
PGPASSWORD=${PGPASSWORD:-$(cat "${PGPASSWORD_FILE:?set PGPASSWORD}")}
OWNER_PASSWORD=${OWNER_PASSWORD:-$(cat "${OWNER_PASSWORD_FILE:?set OWNER_PASSWORD}")}
APP_PASSWORD=${APP_PASSWORD:-$(cat "${APP_PASSWORD_FILE:?set APP_PASSWORD}")}
export PGPASSWORD OWNER_PASSWORD APP_PASSWORD

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --single-transaction \
    --file="$(dirname "$0")/roles.sql" --file="$(dirname "$0")/passwords.sql"

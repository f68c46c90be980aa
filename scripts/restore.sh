#!/usr/bin/env bash
# Restores a backup of scripts/backup.sh into an empty stack, then `docker compose up` starts it.
#   scripts/restore.sh FOLDER       further arguments go to docker compose
# It stops where a database or the store holds something: a restore never mixes two states.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$(cd "$1" && pwd)
shift
compose=(docker compose "$@")
fail() { echo "restore: $*" >&2; exit 1; }

(cd "$folder" && sha256sum --quiet --check SHA256SUMS) || fail "$folder is damaged or no backup"
# The image of this version; what is built already takes seconds.
"${compose[@]}" build set-up || docker image inspect vidrec:local >/dev/null 2>&1 ||
    fail "the image vidrec:local can neither be built nor is it there"
"${compose[@]}" up --detach --wait postgres
ask() { "${compose[@]}" exec -T postgres psql --username postgres --dbname "$1" --tuples-only --no-align --command "$2"; }
for database in airflow vidrec; do
    n=$(ask "$database" "select count(*) from pg_tables where schemaname = 'public'")
    [ "$n" -eq 0 ] || fail "the database $database has $n tables already; restore into an empty stack (docker compose down --volumes removes everything)"
done
# Roles before what they own. Those that are there, with the passwords of .env, stay as they are.
if [ -e "$folder/roles.sql" ]; then
    sed -E 's/^CREATE ROLE (.*);$/DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE quote_ident(rolname) = $name$\1$name$) THEN CREATE ROLE \1; END IF; END $do$;/' \
        "$folder/roles.sql" |
        "${compose[@]}" exec -T postgres psql --username postgres --quiet --set ON_ERROR_STOP=1 >/dev/null
fi
tools() { "${compose[@]}" run --rm --no-deps -T tools "$@"; }
tools sh -c '[ -z "$(ls -A /var/lib/vidrec)" ]' </dev/null || fail "the volume of the store is not empty"
for database in airflow vidrec; do
    "${compose[@]}" exec -T postgres pg_restore --username postgres --exit-on-error --dbname "$database" \
        <"$folder/$database.dump"
done
tools tar -C /var/lib/vidrec -x <"$folder/store.tar"
echo "restore: done; accounts of back ends have no password until it is set again (alter role … password …)"
echo "restore: start the stack with: docker compose up --build --detach --wait"

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
"${compose[@]}" up --detach --wait postgres
ask() { "${compose[@]}" exec -T postgres psql --username postgres --dbname "$1" --tuples-only --no-align --command "$2"; }
for database in airflow vidrec; do
    n=$(ask "$database" "select count(*) from pg_tables where schemaname = 'public'")
    [ "$n" -eq 0 ] || fail "the database $database has $n tables already; restore into an empty stack (docker compose down --volumes removes everything)"
done
tools() { "${compose[@]}" run --rm --no-deps -T tools "$@"; }
tools sh -c '[ -z "$(ls -A /var/lib/vidrec)" ]' </dev/null || fail "the volume of the store is not empty"
for database in airflow vidrec; do
    "${compose[@]}" exec -T postgres pg_restore --username postgres --exit-on-error --dbname "$database" \
        <"$folder/$database.dump"
done
tools tar -C /var/lib/vidrec -x <"$folder/store.tar"
echo "restore: done; start the stack with: docker compose up --detach --wait"

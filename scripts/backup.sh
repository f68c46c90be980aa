#!/usr/bin/env bash
# A backup of the stack of docker-compose.yaml: both databases, then the store. Run it outside nights.
#   scripts/backup.sh FOLDER        FOLDER must be new; further arguments go to docker compose
# The store is a folder of the volume; a bucket has its own means. Keep .env with it, apart: without its
# Fernet key Airflow's connections cannot be read.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1
shift
compose=(docker compose "$@")

[ ! -e "$folder" ] || { echo "backup: $folder is there already; name a new folder" >&2; exit 1; }
umask 077
mkdir -p "$folder.part"
# Databases first: the store only grows until then, so it has whatever they name.
for database in airflow vidrec; do
    "${compose[@]}" exec -T postgres pg_dump --username postgres --format custom "$database" \
        >"$folder.part/$database.dump"
done
"${compose[@]}" run --rm --no-deps -T tools tar -C /var/lib/vidrec -c . >"$folder.part/store.tar"
# Roles that were made beside those of the stack (`vidrec_tasks roles`, back ends), without passwords,
# and who may connect, which no dump of a database holds.
may_connect="select format('GRANT CONNECT ON DATABASE %I TO %s;', datname, grantee::regrole)
    from pg_database, aclexplode(datacl)
    where datname in ('airflow', 'vidrec') and privilege_type = 'CONNECT' and grantee <> 0"
{
    "${compose[@]}" exec -T postgres pg_dumpall --username postgres --roles-only --no-role-passwords
    "${compose[@]}" exec -T postgres psql --username postgres --tuples-only --no-align --command "$may_connect"
} >"$folder.part/roles.sql"
(cd "$folder.part" && sha256sum airflow.dump vidrec.dump roles.sql store.tar >SHA256SUMS)
mv "$folder.part" "$folder"
echo "backup: $(du -sh "$folder" | cut -f1) in $folder"

#!/usr/bin/env bash
# Write .env from .env.example with a random value for every empty secret; never overwrite one.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

if [ -e .env ]; then
    echo "make_env: .env is there already; move it away to write a new one" >&2
    exit 1
fi
umask 077
while IFS= read -r line; do
    case $line in
        AIRFLOW_FERNET_KEY=) echo "$line$(openssl rand -base64 32 | tr '+/' '-_')" ;;
        [A-Z]*=) echo "$line$(openssl rand -hex 32)" ;;
        *) echo "$line" ;;
    esac
done <.env.example >.env
echo "make_env: wrote .env (readable by its owner alone); the login of the UI is in ADMIN_PASSWORD"

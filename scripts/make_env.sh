#!/usr/bin/env bash
# Write .env from .env.example: a random value for every empty secret, this host's processors, and what
# the environment names already. It never overwrites one.
#   TORCH_INDEX=<the PyTorch CPU index> scripts/make_env.sh
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

if [ -e .env ]; then
    echo "make_env: .env is there already; move it away to write a new one" >&2
    exit 1
fi
if [ -z "${TORCH_INDEX:-}" ]; then
    echo "make_env: TORCH_INDEX is not set; PyTorch's \"Get started\" page names the package index of the" \
        "CPU build: TORCH_INDEX=<that index> scripts/make_env.sh" >&2
    exit 1
fi

if ! command -v openssl >/dev/null; then
    echo "make_env: openssl makes the secrets and is not installed (apt-get install openssl)" >&2
    exit 1
fi

cores=$(nproc)
umask 077
while IFS= read -r line; do
    name=${line%%=*}
    case $line in
        \#* | "") echo "$line" ;;
        *)
            if [ -n "${!name:-}" ]; then
                echo "$name=${!name}"
            else
                case $line in
                    AIRFLOW_FERNET_KEY=) echo "$line$(openssl rand -base64 32 | tr '+/' '-_')" ;;
                    *=) echo "$line$(openssl rand -hex 32)" ;;
                    WORKER_CPUS=*) echo "WORKER_CPUS=$((cores < 2 ? 1 : 2))" ;;
                    *) echo "$line" ;;
                esac
            fi
            ;;
    esac
done <.env.example >.env.new
mv .env.new .env
echo "make_env: wrote .env (readable by its owner alone); the login of the UI is in ADMIN_PASSWORD"

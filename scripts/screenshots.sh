#!/usr/bin/env bash
# Pictures of the pages into docs/images, over the store that `make demo` has filled; names behind it
# take those alone.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
[ -f "$VIDREC_STORE_URL/results.sqlite" ] || { echo "screenshots: no night in $VIDREC_STORE_URL; make demo first" >&2; exit 1; }
command -v chromium >/dev/null || { echo "screenshots: no chromium; apt-get install chromium" >&2; exit 1; }
if ! airflow_is_up; then
    trap scripts/down.sh EXIT
    scripts/up.sh >/dev/null
fi
AIRFLOW__API__PORT=$(cat "$AIRFLOW_HOME/standalone.port") python -m scripts.screenshots "$@"

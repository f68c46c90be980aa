#!/usr/bin/env bash
# Stop what scripts/up.sh started: that process group and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
if ! airflow_is_up; then
    rm -f "$airflow_pidfile"
    echo "nothing is up"
    exit 0
fi
pid=$(cat "$airflow_pidfile")
kill -TERM -- "-$pid"
for _ in $(seq 30); do kill -0 -- "-$pid" 2>/dev/null || break; sleep 1; done
kill -KILL -- "-$pid" 2>/dev/null || true
rm -f "$airflow_pidfile"
echo "down"

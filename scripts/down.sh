#!/usr/bin/env bash
# Stop what scripts/up.sh started: that process group and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
pidfile=$AIRFLOW_HOME/standalone.pid
if [ ! -f "$pidfile" ] || ! kill -0 "$(cat "$pidfile")" 2>/dev/null; then
    rm -f "$pidfile"
    echo "nothing is up"
    exit 0
fi
pid=$(cat "$pidfile")
kill -TERM -- "-$pid"
for _ in $(seq 30); do kill -0 -- "-$pid" 2>/dev/null || break; sleep 1; done
kill -KILL -- "-$pid" 2>/dev/null || true
rm -f "$pidfile"
echo "down"

#!/usr/bin/env bash
# Start Airflow with its UI on localhost over the store of this checkout; print address and login.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
pidfile=$AIRFLOW_HOME/standalone.pid

if [ -f "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2>/dev/null; then
    echo "already up (process $(cat "$pidfile")); make down stops it" >&2
else
    if python -c "import socket,sys; sys.exit(socket.socket().connect_ex(('127.0.0.1', int(sys.argv[1]))))" "$AIRFLOW__API__PORT"; then
        echo "up: port $AIRFLOW__API__PORT is taken; choose another: AIRFLOW__API__PORT=8081 make up" >&2
        exit 1
    fi
    airflow_ready
    setsid airflow standalone >"$AIRFLOW_HOME/standalone.log" 2>&1 </dev/null &
    echo $! >"$pidfile"
    for _ in $(seq 120); do
        python - "$AIRFLOW__API__PORT" <<'P' && break
import sys, urllib.request
try:
    urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/api/v2/version", timeout=1)
except OSError:
    sys.exit(1)
P
        kill -0 "$(cat "$pidfile")" 2>/dev/null || { tail -n 30 "$AIRFLOW_HOME/standalone.log" >&2; exit 1; }
        sleep 1
    done
fi
passwords=$AIRFLOW_HOME/simple_auth_manager_passwords.json.generated
for _ in $(seq 30); do [ -s "$passwords" ] && break; sleep 1; done
echo "Airflow    $AIRFLOW__API__BASE_URL   (the vidrec page: $AIRFLOW__API__BASE_URL/vidrec/)"
python -c "import json,sys; [print(f'login      {u}  password {p}') for u, p in json.load(open(sys.argv[1])).items()]" "$passwords"
echo "log        $AIRFLOW_HOME/standalone.log;  make down stops it"

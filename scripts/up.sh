#!/usr/bin/env bash
# Start Airflow with its UI on localhost over the store of this checkout; print address and login.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
export VIDREC_THREADS="${VIDREC_THREADS:-1}" # two tasks run at once
log=$AIRFLOW_HOME/standalone.log

port_answers() {
    python -c "import socket, sys; sys.exit(socket.socket().connect_ex(('127.0.0.1', int(sys.argv[1]))))" "$AIRFLOW__API__PORT"
}

is_healthy() {
    python - "$AIRFLOW__API__PORT" 2>/dev/null <<'P'
import sys, urllib.request
urllib.request.urlopen(f"http://localhost:{sys.argv[1]}/api/v2/version", timeout=2)
P
}

start() {
    airflow_ready
    echo "up: starting Airflow (10 to 60 s)" >&2
    setsid airflow standalone >"$log" 2>&1 </dev/null &
    echo $! >"$airflow_pidfile"
    echo "$AIRFLOW__API__PORT" >"$AIRFLOW_HOME/standalone.port"
    echo "$VIDREC_STORE_URL" >"$AIRFLOW_HOME/standalone.store"
    for _ in $(seq 180); do
        if is_healthy; then return 0; fi
        if ! airflow_is_up; then break; fi
        sleep 1
    done
    tail -n 30 "$log" >&2
    echo "up: Airflow did not come up; the whole log is $log" >&2
    scripts/down.sh >&2
    exit 1
}

if airflow_is_up; then
    AIRFLOW__API__PORT=$(cat "$AIRFLOW_HOME/standalone.port")
    store=$(cat "$AIRFLOW_HOME/standalone.store" 2>/dev/null || echo "$VIDREC_STORE_URL")
    if [ "$store" != "$VIDREC_STORE_URL" ]; then
        echo "up: Airflow is up over another store, $store; make down stops it, then make up again" >&2
        exit 1
    fi
    echo "already up; make down stops it" >&2
elif port_answers; then
    echo "up: port $AIRFLOW__API__PORT is taken; choose another: AIRFLOW__API__PORT=8081 make up" >&2
    exit 1
else
    start
fi
passwords=$AIRFLOW_HOME/simple_auth_manager_passwords.json.generated
for _ in $(seq 30); do [ -s "$passwords" ] && break; sleep 1; done
url=http://localhost:$AIRFLOW__API__PORT
echo "Airflow    $url   (the vidrec page: $url/vidrec/)"
python -c "import json, sys; [print(f'login      {user}  password {word}') for user, word in json.load(open(sys.argv[1])).items()]" "$passwords"
echo "store      $VIDREC_STORE_URL"
echo "log        $log;  make down stops it"

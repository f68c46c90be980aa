# Sourced: a real Airflow for this checkout, in var/airflow, over the store in var/store.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$root/.venv/bin:$PATH"
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}" # this checkout, wherever its environment lies
export AIRFLOW_HOME="${AIRFLOW_HOME:-$root/var/airflow}"
export AIRFLOW__CORE__DAGS_FOLDER="$root/dags"
export AIRFLOW__CORE__PLUGINS_FOLDER="$root/plugins"
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__PARALLELISM="${AIRFLOW__CORE__PARALLELISM:-2}"
export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="${AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION:-True}"
export AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.2
export AIRFLOW__API__PORT="${AIRFLOW__API__PORT:-8080}"
export AIRFLOW__API__HOST="${AIRFLOW__API__HOST:-127.0.0.1}"
export AIRFLOW__API__BASE_URL="http://localhost:$AIRFLOW__API__PORT"
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL="http://localhost:$AIRFLOW__API__PORT/execution/"
export AIRFLOW__LOGGING__LOGGING_LEVEL="${AIRFLOW__LOGGING__LOGGING_LEVEL:-INFO}"
export VIDREC_STORE_URL="${VIDREC_STORE_URL:-$root/var/store}"
export HF_HUB_OFFLINE="${HF_HUB_OFFLINE:-1}"
export TOKENIZERS_PARALLELISM=false
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}" # a waiting thread sleeps: cores are shared

airflow_pidfile=$AIRFLOW_HOME/standalone.pid

# Whether what scripts/up.sh started still runs. A process number is used again after a restart of
# the machine, so its command line is asked too.
airflow_is_up() {
    [ -f "$airflow_pidfile" ] &&
        tr '\0' ' ' 2>/dev/null <"/proc/$(cat "$airflow_pidfile")/cmdline" | grep -q 'airflow standalone'
}

airflow_ready() {
    mkdir -p "$AIRFLOW_HOME"
    if [ ! -f "$AIRFLOW_HOME/.migrated" ]; then
        echo "airflow: preparing its database" >&2
        airflow db migrate >"$AIRFLOW_HOME/migrate.log" 2>&1 || { cat "$AIRFLOW_HOME/migrate.log" >&2; return 1; }
        airflow pools set vidrec_compute 2 "vidrec: one slot a core" >>"$AIRFLOW_HOME/migrate.log" 2>&1
        touch "$AIRFLOW_HOME/.migrated"
    fi
}

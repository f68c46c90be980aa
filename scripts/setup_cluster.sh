#!/usr/bin/env bash
# What `make e2e` and `make faults` need: Redis and PostgreSQL from Debian, and .venv-cluster, which
# lies over .venv and adds what the image has beside the lock (FAB, s3fs), and an S3 server for tests.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv-cluster
stamp=$venv/.ready
base=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
want=$(cat requirements-cluster.txt requirements-e2e.txt scripts/setup_cluster.sh | sha256sum | cut -d' ' -f1)

install_servers() {
    local wanted=()
    command -v redis-server >/dev/null || wanted+=(redis-server)
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted+=(postgresql)
    [ ${#wanted[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "set-up: a cluster needs ${wanted[*]} (sudo apt-get install ${wanted[*]})" >&2
        exit 1
    fi
    echo "set-up: installing ${wanted[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # Only the programs: a server that starts by itself would hold the port.
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

# A program of .venv whose interpreter sees what .venv-cluster adds.
write_program() {
    printf '#!/usr/bin/env bash\nexec "%s/%s/bin/python" -m %s "$@"\n' "$PWD" "$venv" "$1" >"$venv/bin/$1"
    chmod +x "$venv/bin/$1"
}

install_python() {
    echo "set-up: installing into $venv what a cluster adds (a minute, once)" >&2
    .venv/bin/python -m venv --clear --without-pip $venv
    # addsitedir reads the .pth files of .venv too
    echo "import site; site.addsitedir('$base')" \
        >"$($venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth"
    .venv/bin/python -m pip --python $venv/bin/python --disable-pip-version-check --quiet \
        install --no-deps -r requirements-cluster.txt -r requirements-e2e.txt
    write_program airflow
    write_program celery
}

install_servers
if [ -f $stamp ] && [ "$(cat $stamp)" = "$want $PWD $base" ]; then
    exit 0
fi
install_python
echo "$want $PWD $base" >$stamp

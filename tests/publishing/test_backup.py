"""scripts/backup.sh and restore.sh on a real PostgreSQL; the engine of containers is played."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.publishing.servers import find_binaries, started
from tests.publishing.worlds import publish, run_id
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.roles import create_roles

DOCKER = """#!/usr/bin/env bash
# docker compose, of which every service is this machine
set -euo pipefail
echo "$*" >>"$PLAYED/asked"
case "$2" in
    exec) shift 4 ;;
    run) shift 6 ;;
    *) exit 0 ;;
esac
exec "${@//\\/var\\/lib\\/vidrec/$PLAYED/volume}"
"""
BINARIES = find_binaries()


@pytest.fixture
def host() -> Iterator[str]:
    """The folder of a server's socket, with databases and roles as docker-compose.yaml has them."""
    if BINARIES is None:
        pytest.skip("no PostgreSQL is installed")
    with started(BINARIES) as url:
        place = re.findall("host=(.*)", url)[0]
        tell(place, "CREATE ROLE postgres SUPERUSER LOGIN")
        tell(place, "CREATE ROLE owner LOGIN CREATEROLE")
        make_databases(place)
        yield place


def make_databases(host: str) -> None:
    for name in ("airflow", "vidrec"):
        tell(host, f"CREATE DATABASE {name} OWNER owner")
    tell(host, "REVOKE CONNECT ON DATABASE vidrec FROM PUBLIC")


def tell(host: str, statement: str) -> None:
    with psycopg.connect(host=host, user="vidrec", dbname="postgres", autocommit=True) as server:
        server.execute(statement.encode())


def run_script(name: str, root: Path, folder: Path, host: str, played: Path) -> None:
    docker = played / "bin" / "docker"
    docker.parent.mkdir(parents=True, exist_ok=True)
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    done = subprocess.run(
        [root / "scripts" / name, folder], check=False, capture_output=True, text=True, cwd=played,
        env={
            **os.environ, "PLAYED": str(played), "PGHOST": host,
            "PATH": f"{docker.parent}:{BINARIES}:{os.environ['PATH']}",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_backup_with_the_roles_of_back_ends_comes_back_on_an_empty_server(
    root: Path, tmp_path: Path, host: str
) -> None:
    url = f"postgresql://owner@/vidrec?host={host}"
    publisher = Publisher(make_engine(url))
    publish(publisher, 1)
    create_roles(publisher.engine)
    publisher.engine.dispose()
    tell(host, "CREATE ROLE \"back end\" LOGIN PASSWORD 'secret-word'")
    tell(host, 'GRANT vidrec_reader TO "back end"')
    tell(host, 'CREATE ROLE "o\'brien" LOGIN')
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "store.txt").write_text("kept")
    run_script("backup.sh", root, tmp_path / "backup", host, tmp_path)
    assert "secret-word" not in (tmp_path / "backup" / "roles.sql").read_text()

    for name in ("airflow", "vidrec"):
        tell(host, f"DROP DATABASE {name}")
    for role in ("vidrec_writer", "vidrec_reader", "vidrec_page", '"back end"', '"o\'brien"'):
        tell(host, f"DROP ROLE {role}")
    make_databases(host)
    (volume / "store.txt").unlink()
    run_script("restore.sh", root, tmp_path / "backup", host, tmp_path)

    assert (volume / "store.txt").read_text() == "kept"
    reader = Reader(f"postgresql://back%20end@/vidrec?host={host}")
    assert reader.current_run_id() == run_id(1)
    assert [row["rank"] for row in reader.list_for("u1").rows] == [1, 2, 3]
    reader.close()
    publish(Publisher(make_engine(url)), 2)  # who wrote before may write again
    asked = (tmp_path / "asked").read_text()
    assert asked.index("compose build set-up") < asked.index(
        "compose run --rm --no-deps -T tools sh"
    )

"""What a cluster needs before its services start; run by the service `set-up`, at every `up`.

Settings are read first, so that a wrong one stops everything with one line. Then Airflow's database
and the result tables are brought to this version, and Celery's tables, the pool and the first login
are made where they are missing. It may run beside running services and after any interruption.
"""

import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

log = logging.getLogger("set-up")

POOL: Final = "vidrec_compute"
LEFT_BEHIND: Final = ("vidrec-spill-", "vidrec-texts-")
"""Beginnings of the names of what tasks make on the scratch disk; the cache there is not theirs."""
SCRATCH_KEPT_S: Final = 2 * 24 * 3600
"""Age from which a scratch folder was left by a killed task: no task may run for so long."""


def main() -> int:
    """Set up."""
    logging.basicConfig(level=logging.INFO, format="set-up: %(message)s")
    from vidrec_tasks.errors import VidrecError
    from vidrec_tasks.settings import read_settings

    try:
        read_settings()
    except VidrecError as error:
        log.error("%s", error)
        return 1
    remove_old_scratch()
    migrate_airflow()
    make_celery_tables()
    make_pool()
    make_login()
    return subprocess.run([sys.executable, "-m", "vidrec_tasks", "migrate"], check=False).returncode


def airflow(*words: str) -> None:
    """A command of Airflow in this process: one start for all, and no secret on a command line."""
    from airflow.cli import cli_parser

    arguments = cli_parser.get_parser().parse_args(words)
    arguments.func(arguments)


def migrate_airflow() -> None:
    """Airflow's database, and the one of its logins, to this version."""
    log.info("Airflow's database")
    airflow("db", "migrate")


def make_celery_tables() -> None:
    """Celery's results: workers that make them at once get in each other's way."""
    from airflow.providers.celery.executors.celery_executor import app

    log.info("Celery's tables")
    app.backend.ResultSession().close()


def make_pool() -> None:
    """The pool of all jobs, unless somebody chose its size already."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    slots = os.environ.get("COMPUTE_SLOTS", "4")
    with create_session() as session:
        is_there = Pool.get_pool(POOL, session=session) is not None
    if not is_there:
        airflow("pools", "set", POOL, slots, "vidrec: one slot a core of the workers")


def make_login() -> None:
    """The first administrator; one that is there keeps the password that they have."""
    user = os.environ["ADMIN_USER"]
    log.info("the login of %s", user)
    airflow(
        "users", "create", "--role", "Admin", "--username", user,
        "--email", os.environ["ADMIN_EMAIL"], "--firstname", "vidrec", "--lastname", "admin",
        "--password", os.environ["ADMIN_PASSWORD"],
    )  # fmt: skip


def remove_old_scratch() -> None:
    """What tasks that were killed left on the scratch disk."""
    scratch = os.environ.get("TMPDIR")
    if not scratch or not Path(scratch).is_dir():
        return
    for path in Path(scratch).iterdir():
        if path.name.startswith(LEFT_BEHIND) and age_s(path) > SCRATCH_KEPT_S:
            shutil.rmtree(path, ignore_errors=True)
            log.info("removed %s", path)


def age_s(path: Path) -> float:
    """Seconds since a file or folder was changed."""
    return time.time() - path.stat().st_mtime


if __name__ == "__main__":
    sys.exit(main())

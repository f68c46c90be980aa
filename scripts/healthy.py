"""Whether a service of docker-compose.yaml does its work: exit code 0, or 1 with one line.

A health check runs in every container, all day: none of these starts an Airflow.

    healthy.py http URL                 the address answers without an error
    healthy.py job TYPE [MAX_AGE_S]     this host's job (DagProcessorJob, TriggererJob) beats in
                                        Airflow's database
    healthy.py worker NAME              the Celery worker answers over the broker
"""

import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from typing import Final

TIMEOUT_S: Final = 8
MAX_AGE_S: Final = 90.0
"""A job beats every 5 s; a busy host may let it miss a few."""
HEARTBEAT: Final = (
    "SELECT EXTRACT(EPOCH FROM now() - max(latest_heartbeat)) FROM job "
    "WHERE job_type = %s AND state = 'running' AND hostname = ANY(%s)"
)


class Unhealthy(Exception):
    """What does not work."""


def http(url: str) -> None:
    """An address answers."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_S):
        pass


def job(job_type: str, max_age_s: str = str(MAX_AGE_S)) -> None:
    """A job of this host wrote its heartbeat lately."""
    import psycopg2

    url = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "", 1)
    hosts = [socket.gethostname(), socket.getfqdn()]
    connection = psycopg2.connect(url, connect_timeout=TIMEOUT_S)
    try:
        with connection.cursor() as cursor:
            cursor.execute(HEARTBEAT, (job_type, hosts))
            (age_s,) = cursor.fetchone()
    finally:
        connection.close()
    if age_s is None:
        message = f"no {job_type} of {hosts[0]} runs"
        raise Unhealthy(message)
    if age_s > float(max_age_s):
        message = f"the {job_type} of {hosts[0]} last wrote its heartbeat {age_s:.0f} s ago"
        raise Unhealthy(message)


def worker(name: str) -> None:
    """A Celery worker answers a ping."""
    from celery import Celery

    app = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"])
    app.conf.broker_transport_options = {"socket_timeout": TIMEOUT_S}
    if not app.control.ping(destination=[f"celery@{name}"], timeout=TIMEOUT_S, limit=1):
        message = f"celery@{name} does not answer within {TIMEOUT_S} s"
        raise Unhealthy(message)


CHECKS: Final[dict[str, Callable[..., None]]] = {"http": http, "job": job, "worker": worker}


def main(arguments: list[str]) -> int:
    """Run one check; whatever goes wrong is one line."""
    if len(arguments) < 2 or arguments[0] not in CHECKS:
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        CHECKS[arguments[0]](*arguments[1:])
    except Exception as error:
        sys.stderr.write(f"{' '.join(arguments[:2])}: {error or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

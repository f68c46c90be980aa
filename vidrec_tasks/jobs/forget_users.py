"""forget_users: erase users from the store and the result tables, and leave a receipt.

No id is logged, returned or written: the ledger holds keyed hashes, the receipt counts.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from vidrec_tasks.columns import CATEGORIES, CREATOR_ID, TAGS, VIDEO_ID
from vidrec_tasks.errors import InputError, StoreError
from vidrec_tasks.publishing.airflow_traces import (
    erase_from_airflow,
    erase_from_logs,
    files_about,
    search_airflow,
)
from vidrec_tasks.publishing.engine import make_engine, results_url
from vidrec_tasks.publishing.erasure import count_users, erase_users
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.erasure import Erased, erase_from_store, refuse_unwritable, search_store
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.ledger import Ledger
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.snapshots import Snapshots
from vidrec_tasks.store.sought import Sought
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

SEARCHED: Final = (
    "input tables", "artefacts", "models", "reports", "result tables of every run",
    "bytes of every other file of the store",
)  # fmt: skip
"""Where users are looked for, beside what the receipt says of Airflow."""


def forget_users(
    settings: Settings,
    store: Store,
    *,
    request_id: str,
    user_ids: Iterable[str],
    airflow_url: str = "",
    airflow_logs: str = "",
) -> dict[str, Any]:
    """Erase users everywhere and search for them again.

    Args:
        settings: where the result tables are.
        store: the store.
        request_id: who asks: the name of the receipt ``erasures/receipts/<request_id>.json``.
        user_ids: whom to forget.
        airflow_url: of Airflow's own database; empty: as set, or not searched.
        airflow_logs: folder of Airflow's logs; empty: as set, or not searched.

    Returns:
        How many users, rows removed, and what a second search found (nothing).

    Raises:
        InputError: nobody is named.
        RunUnderWay: a night is being computed; nothing was erased.
        StoreError: a file cannot be read or written, or a second search found something.
        PublishError: the result tables cannot be written.
    """
    sought = Sought(user_ids, words=_words_of(store))
    if not sought.ids:
        message = "forget: no user is named; give at least one user id"
        raise InputError(message)
    refuse_unwritable(store)
    with _alone(settings, store, request_id):
        # First: from here on no input can bring them back, whatever happens below.
        n_new = Ledger(store).add(sought.ids)
        engine = make_engine(results_url(settings, store))
        tables = erase_users(engine, sought.ids)
        encoding = settings.inputs.encoding
        erased = erase_from_store(store, sought, encoding=encoding)
        left = _search_again(store, engine, sought, encoding)
        # Last: until here a retry still needs what the form was given.
        traces = Traces(
            airflow_url or settings.airflow_url.get_secret_value(),
            airflow_logs or settings.airflow_logs,
        )
        airflow = {} if left else traces.erase(sought)
        left = {**left, **({} if left else traces.search(sought))}
    receipt = _receipt(request_id, sought, n_new, tables, erased, left)
    receipt["airflow"] = {**traces.searched(), "removed": airflow}
    receipt["searched"] = SEARCHED
    path = store.path("erasures", "receipts", f"{_file_name(request_id)}.json")
    store.write_json(path, receipt)
    log.info("%d users forgotten, %d rows removed", len(sought.ids), receipt["n_removed"])
    _refuse_left(left, str(path))
    return {
        "users": len(sought.ids),
        "removed": receipt["n_removed"],
        "found_again": 0,
        "receipt": str(path),
    }


def _words_of(store: Store) -> set[str]:
    """What the catalogue calls something: no search for a user may take it for one."""
    words: set[str] = set()
    for videos in Snapshots(store, n_kept=1).newest_first():
        words |= set(videos[VIDEO_ID]) | set(videos[CREATOR_ID])
        words |= {word for name in (TAGS, CATEGORIES) for some in videos[name] for word in some}
        break  # the newest knows all that is listed
    return words


@dataclass(frozen=True)
class Traces:
    """Where Airflow keeps what it was told.

    Attributes:
        url: of its database; empty: not searched.
        logs: folder of its logs; empty: not searched.
    """

    url: str
    logs: str

    def searched(self) -> dict[str, bool]:
        """Which of the two was searched at all."""
        return {"database_searched": bool(self.url), "logs_searched": bool(self.logs)}

    def erase(self, sought: Sought) -> dict[str, int]:
        """Remove the users; returns what was changed."""
        changed = dict(+erase_from_airflow(self.url, sought)) if self.url else {}
        n_files = erase_from_logs(Path(self.logs), sought) if self.logs else 0
        return {**changed, **({"airflow/logs": n_files} if n_files else {})}

    def search(self, sought: Sought) -> dict[str, int]:
        """What is left of the users."""
        left = dict(search_airflow(self.url, sought)) if self.url else {}
        n_files = len(list(files_about(Path(self.logs), sought))) if self.logs else 0
        return {**left, **({"airflow/logs": n_files} if n_files else {})}


@contextmanager
def _alone(settings: Settings, store: Store, request_id: str) -> Iterator[None]:
    """Hold every night's lease, so that no job writes what is being erased."""
    folder = store.path("locks")
    locked = folder.glob("*.json") if folder.exists() else []
    nights = {run.night for run in Runs(store)} | {date.fromisoformat(p.stem) for p in locked}
    with ExitStack() as leases:
        for night in sorted(nights):
            owner = f"forget:{request_id}"
            lease = Lease(store, night, owner=owner, lease_s=settings.lease_s, is_process=True)
            leases.callback(lease.release)  # after the renewing has ended
            leases.enter_context(lease.kept())
        yield


def _search_again(store: Store, engine: sa.Engine, sought: Sought, encoding: str) -> dict[str, int]:
    tables = {f"results/{name}": n for name, n in count_users(engine, sought.ids).items() if n}
    return {**tables, **search_store(store, sought, encoding=encoding)}


def _receipt(
    request_id: str,
    sought: Sought,
    n_new: int,
    tables: dict[str, int],
    erased: Erased,
    left: dict[str, int],
) -> dict[str, Any]:
    removed = {**{f"results/{name}": n for name, n in tables.items()}, **erased.rows}
    return {
        "request_id": request_id,
        "finished_at": datetime.now(UTC).isoformat(),
        "n_users": len(sought.ids),
        "n_new_in_ledger": n_new,
        "n_removed": sum(removed.values()),
        "removed": {name: n for name, n in sorted(removed.items()) if n},
        "models_deleted_of": erased.models_of,
        "vectors_by_those_models_kept_of": erased.derived_of,
        "n_ids_searched_as_bytes": len(sought.telling),
        "found_again": left,
    }


def _refuse_left(left: dict[str, int], receipt: str) -> None:
    if left:
        name, n = next(iter(sorted(left.items())))
        message = (
            f"forget: a second search found the users in {len(left)} places (first: {n} in {name}; "
            f"see {receipt}); remove what the project does not know, then forget them again"
        )
        raise StoreError(message)


def _file_name(request_id: str) -> str:
    return re.sub(r"[^\w.+:-]", "_", request_id).lstrip(".") or "_"

"""Manifest: what a run was made of, by hash, as it is kept in the result tables."""

from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any, Final

from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.runs import Run

PACKAGES: Final = (
    "numpy", "pandas", "pyarrow", "scipy", "torch", "transformers", "faiss-cpu", "opencv-python",
    "SQLAlchemy", "apache-airflow",
)  # fmt: skip
"""Packages whose version can change an answer."""

LATER: Final = ("publication", "report")
"""Artefacts that are made of the manifest or after it."""


def manifest_of(run: Run) -> dict[str, Any]:
    """The hashes and versions behind a run; no time and no place is in it."""
    record = run.record
    return {
        "night": record.night,
        "inputs": record.inputs,
        "settings": record.settings_digest,
        "code": record.code,
        "parents": dict(record.parents),
        "catalogue_as_of": record.catalogue_as_of,
        "n_user_shards": record.n_user_shards,
        "n_video_shards": record.n_video_shards,
        "artefacts": _artefacts(run),
        "versions": versions(),
    }


def started_at(run: Run) -> datetime:
    """When the run's first job began, by its receipts; now if it has none."""
    receipts = run.receipts()
    if not receipts:
        return datetime.now(UTC)
    return datetime.fromisoformat(receipts[0]["started_at"])


def _artefacts(run: Run) -> dict[str, str]:
    """Artefact -> checksum; the shards of a kind are one, whatever their number."""
    plain: dict[str, str] = {}
    sharded: dict[str, dict[str, str]] = {}
    for ref in run.refs():
        kind, _, shard = ref.name.partition(".")
        if shard.isdigit():
            sharded.setdefault(kind, {})[shard] = ref.checksum
        elif ref.name not in LATER:
            plain[ref.name] = ref.checksum
    return {**plain, **{kind: key_of(shards) for kind, shards in sharded.items()}}


@cache
def versions() -> dict[str, str]:
    """The versions of Python and of the packages that can change an answer."""
    return {"python": python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

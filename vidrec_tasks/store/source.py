"""Source: hashes of the library's own code, since code is part of what makes an artefact."""

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

import vidrec_tasks
from vidrec_tasks.store.imports import all_files, files_needed

ROOT: Final = Path(vidrec_tasks.__file__).parent
RUNNER: Final = "vidrec_tasks.running.runner"
"""It has a hand in every artefact."""
LOADER: Final = "vidrec_tasks.running.loading"
"""It imports by name the one job that it is asked for."""


@cache
def source_digest(root: Path = ROOT) -> str:
    """12 hex digits of the hash of every file of the library: what a run was made by."""
    return _digest(root, all_files(root))


@cache
def job_digest(job: str, root: Path = ROOT) -> str:
    """12 hex digits of the hash of the files that a job needs: part of its artefacts' address.

    A job that is no module of `vidrec_tasks.jobs` may need any file.
    """
    return _digest(root, files_of_job(job, root))


def files_of_job(job: str, root: Path = ROOT) -> frozenset[Path]:
    """The library's files that a job and who runs it need (see `vidrec_tasks.store.imports`)."""
    return files_needed(root, (f"{root.name}.jobs.{job}", RUNNER), LOADER)


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

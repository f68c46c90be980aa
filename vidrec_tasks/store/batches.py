"""Batches: files of requests to a language model, and of its answers, in the store.

``batches/<night>/<job>.<shard>.requests.jsonl`` is what a night asks; ``batches/answers/*.jsonl``
is what came back, under any name. Leaves what the lines mean to `language.batching`.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from upath import UPath

from vidrec_tasks.store.store import Store

FOLDER: Final = "batches"
ANSWERS: Final = "answers"
_END: Final = ".requests.jsonl"


class Batches:
    """The batch files of one job, shard and night.

    Args:
        store: where they lie.
        night: whose requests these are.
        name: of the job's artefact, with the shard.
    """

    def __init__(self, store: Store, night: date, name: str) -> None:
        self._store = store
        self._path = store.path(FOLDER, night.isoformat(), f"{name}{_END}")

    def answers(self) -> Iterator[bytes]:
        """The lines of every file of answers that are not empty, in the order of the names.

        Raises:
            StoreError: a file cannot be read.
        """
        for path in answer_files(self._store):
            yield from self.lines_of(self._store, path)

    @staticmethod
    def lines_of(store: Store, path: UPath) -> Iterator[bytes]:
        """The lines of one file that are not empty.

        Raises:
            StoreError: the file cannot be read.
        """
        return (line for line in store.read(path).split(b"\n") if line.strip())

    def leave(self, lines: Sequence[bytes]) -> None:
        """Write the requests of this job, shard and night, whole, in place of any before.

        Raises:
            StoreError: the file cannot be written.
        """
        self._store.write(self._path, _joined(lines))


def answer_files(store: Store) -> list[UPath]:
    """Every file of answers, by name."""
    return _files(store.path(FOLDER, ANSWERS), ".jsonl")


def request_files(store: Store) -> list[UPath]:
    """Every file of requests, by night and name."""
    root = store.path(FOLDER)
    nights = sorted(path for path in _below(root) if path.name != ANSWERS)
    return [path for night in nights for path in _files(night, _END)]


def keep_answers(store: Store, requests: UPath, lines: Sequence[bytes]) -> None:
    """Add answers to a file of requests, under its night and name, to those that it has already.

    Raises:
        StoreError: the file cannot be read or written.
    """
    name = f"{requests.parent.name}.{requests.name.removesuffix(_END)}.jsonl"
    path = store.path(FOLDER, ANSWERS, name)
    before = list(Batches.lines_of(store, path)) if store.exists(path) else []
    if lines:
        store.write(path, _joined([*before, *lines]))


def answers_stamp(store: Store) -> dict[str, list[float]]:
    """Name -> size and moment of the last change of every file of answers."""
    stamps = {path.name: path.stat() for path in answer_files(store)}
    return {name: [found.st_size, found.st_mtime] for name, found in stamps.items()}


def remove_batches(store: Store) -> int:
    """Remove every request and answer; returns the number of files.

    A prompt holds facts about a user and not who it is, so what an erased user left there cannot be
    told from the rest. What was not answered is asked again by the next night.
    """
    paths = [*request_files(store), *answer_files(store)]
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _joined(lines: Sequence[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _files(folder: UPath, end: str) -> list[UPath]:
    found = [path for path in _below(folder) if path.name.endswith(end)]
    return sorted((path for path in found if not path.name.startswith(".")), key=lambda p: p.name)


def _below(folder: UPath) -> list[UPath]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []

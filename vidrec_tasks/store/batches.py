"""Batches: files of requests to a language model, and of its answers, in the store.

``batches/<night>/<job>.<shard>.requests.jsonl`` is what a night asks, ``….asked.txt`` the names of
all that it ever asked; ``batches/answers/*.jsonl`` is what came back, under any name. Leaves what
the lines mean to `language.batching`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import IO, Final

from upath import UPath

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.store import Store

FOLDER: Final = "batches"
ANSWERS: Final = "answers"
MAX_LINE_BYTES: Final = 4_000_000
"""Bytes that are read of a line: an endpoint's answer may have a million."""
_END: Final = ".requests.jsonl"
_ASKED: Final = ".asked.txt"
_BLOCK: Final = 1 << 20


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
        self._asked = store.path(FOLDER, night.isoformat(), f"{name}{_ASKED}")

    def answers(self) -> Iterator[bytes]:
        """The lines of every file of answers that are not empty, in the order of the names.

        Raises:
            StoreError: a file cannot be read.
        """
        for path in answer_files(self._store):
            yield from self.lines_of(self._store, path)

    @staticmethod
    def lines_of(store: Store, path: UPath) -> Iterator[bytes]:
        """The lines of one file that are not empty, of long ones the first `MAX_LINE_BYTES`.

        Raises:
            StoreError: the file cannot be read.
        """
        try:
            with path.open("rb") as file:
                yield from (line for line in _lines(file) if line.strip())
        except store.failures as error:
            message = f"store: cannot read {path} ({error})"
            raise StoreError(message) from error

    def leave(self, requests: Mapping[str, bytes]) -> None:
        """Write the requests of this job, shard and night, whole, in place of any before.

        Args:
            requests: name -> line; the names are kept when others take the place of the lines.

        Raises:
            StoreError: a file cannot be written.
        """
        before = self._names(self._asked) if self._store.exists(self._asked) else ()
        names = dict.fromkeys([*before, *requests])
        self._store.write(self._asked, _joined([name.encode() for name in names]))
        self._store.write(self._path, _joined(list(requests.values())))

    def asked(self) -> Iterator[str]:
        """The names of all requests that any job of any night left here.

        Raises:
            StoreError: a file cannot be read.
        """
        for path in _of_nights(self._store, _ASKED):
            yield from self._names(path)

    def _names(self, path: UPath) -> Iterator[str]:
        return (line.decode(errors="replace") for line in self.lines_of(self._store, path))


def answer_files(store: Store) -> list[UPath]:
    """Every file of answers, by name."""
    return _files(store.path(FOLDER, ANSWERS), ".jsonl")


def request_files(store: Store) -> list[UPath]:
    """Every file of requests, by night and name."""
    return _of_nights(store, _END)


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
    """Remove every request, name and answer; returns the number of files.

    A prompt holds facts about a user and not who it is, so what an erased user left there cannot be
    told from the rest. What was not answered is asked again by the next night.
    """
    paths = [*request_files(store), *_of_nights(store, _ASKED), *answer_files(store)]
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, cut where they are longer than any answer: memory holds one block."""
    begun = b""
    while block := file.read(_BLOCK):
        *whole, begun = (begun + block).split(b"\n")
        yield from (line[:MAX_LINE_BYTES] for line in whole)
        begun = begun[:MAX_LINE_BYTES]
    yield begun


def _of_nights(store: Store, end: str) -> list[UPath]:
    nights = sorted(path for path in _below(store.path(FOLDER)) if path.name != ANSWERS)
    return [path for night in nights for path in _files(night, end)]


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

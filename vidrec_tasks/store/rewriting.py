"""Rewriting: changes an artefact at its address, which nothing but an erasure may do.

New files are written beside; a marker then says that they count, so a rewriting that was killed is
finished or forgotten by the next one, never left half.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from vidrec_tasks.store.artefacts import COMMIT, Tally
from vidrec_tasks.store.codecs import Part, decode
from vidrec_tasks.store.remote import LOCAL
from vidrec_tasks.store.store import Store

MARKER: Final = "_rewriting.json"
NEW: Final = ".new"


def artefact_folders(store: Store) -> Iterator[tuple[str, str, Any]]:
    """Yield (kind, key, folder) of every artefact, committed or not."""
    root = store.path("artefacts")
    for kind in _folders(root):
        for folder in _folders(kind):
            yield kind.name, folder.name, folder


def read_parts(store: Store, folder: Any, *suffixes: str) -> dict[str, Any]:
    """The parts of a committed artefact, decoded; of the named file suffixes only."""
    files = store.read_json(folder / COMMIT)["files"]
    return {
        part: decode(suffix, store.read(folder / f"{part}.{suffix}"))
        for part, suffix in files.items()
        if not suffixes or suffix in suffixes
    }


def rewrite(store: Store, folder: Any, parts: Mapping[str, Part]) -> None:
    """Put other parts in the place of a committed artefact's.

    Args:
        store: the store.
        folder: of the artefact.
        parts: all of its parts, under the names they have.

    Raises:
        StoreError: a file cannot be written; the artefact is as it was.
    """
    tally = Tally()
    for part, value in sorted(parts.items()):
        path, made = tally.counted(part, value)
        store.pour(folder / f"{path}{NEW}", made)
    commit = tally.commit(parts)
    store.write_json(folder / MARKER, commit)
    settle(store, folder)


def settle(store: Store, folder: Any) -> None:
    """Finish a rewriting whose marker was written; forget one whose marker was not."""
    marker = folder / MARKER
    commit = store.read_json(marker) if marker.exists() else None
    for fresh in [path for path in folder.iterdir() if path.name.endswith(NEW)]:
        if commit is None:
            fresh.unlink()
        else:
            store.move(fresh, fresh.with_name(fresh.name.removesuffix(NEW)))
    if commit is not None:
        store.write_json(folder / COMMIT, commit)
        marker.unlink()


def remove(folder: Any) -> None:
    """Remove an artefact: first it is no longer there, then its files go."""
    (folder / COMMIT).unlink(missing_ok=True)
    for path in list(folder.iterdir()):
        path.unlink()
    if folder.protocol in LOCAL:  # an object store has no folders
        folder.rmdir()


def _folders(parent: Any) -> list[Any]:
    if not parent.exists():
        return []
    return sorted((path for path in parent.iterdir() if path.is_dir()), key=lambda path: path.name)

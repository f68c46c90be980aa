"""Sidecars: the caption files that lie beside a media file, by its name."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import StoreError
from vidrec_tasks.stamps import ChangedError, refuse_changed
from vidrec_tasks.store.media import Media, MediaFile, unreadable

MAX_FILES: Final = 32
"""Caption files of one video that are looked at, by name."""


class Sidecars:
    """Finds caption files: ``name.vtt``, ``name.en.srt``, ``name.mp4.vtt`` beside ``name.mp4``.

    Args:
        media: finds media files.
        suffixes: of caption files, with their dot.
        is_tag: whether a part of a name between its dots speaks of captions (``en``, ``forced``).
    """

    def __init__(
        self, media: Media, suffixes: Sequence[str], is_tag: Callable[[str], bool]
    ) -> None:
        self._media = media
        self._suffixes = tuple(suffixes)
        self._is_tag = is_tag
        self._names: dict[str, list[str]] = {}

    def of(self, file: MediaFile) -> dict[str, MediaFile]:
        """Name -> caption file of a media file, by name; a link that leads outside is left out."""
        if file.path is None:
            return {}
        folder = file.path.parent
        names = self._beside(folder)
        stems = (file.path.name, file.path.name.rsplit(".", 1)[0])
        mine = [name for stem in stems for name in _beginning_with(names, f"{stem}.")]
        mine = sorted({name for name in mine if any(self._is_of(name, stem) for stem in stems)})
        found = {name: self._file(folder / name) for name in mine[:MAX_FILES]}
        return {name: other for name, other in found.items() if other is not None}

    def _is_of(self, name: str, stem: str) -> bool:
        if not name.startswith(f"{stem}."):
            return False
        tokens = name[len(stem) + 1 :].split(".")[:-1]
        return all(self._is_tag(token) for token in tokens)

    def _beside(self, folder: Any) -> list[str]:
        """The names of the caption files of a folder, sorted; a folder is listed once."""
        key = str(folder)
        if key not in self._names:
            failures = (OSError,) if self._media.is_local else self._media.store.failures
            try:
                names = [path.name for path in folder.iterdir()]
            except failures:
                names = []  # what lies in it says so itself
            self._names[key] = sorted(
                name for name in names if name.lower().endswith(self._suffixes)
            )
        return self._names[key]

    def _file(self, path: Any) -> MediaFile | None:
        if not self._media.is_local:
            status = path.stat()
            return MediaFile(path, status.st_size, int(status.st_mtime * 1_000_000_000))
        try:
            resolved = Path(path).resolve()
        except (OSError, RuntimeError):  # a link that leads to itself
            return None
        if not resolved.is_relative_to(self._media.root):
            return None
        found = self._media.find(str(resolved))
        return found if found.path is not None or resolved.is_file() else None


def read_small(file: MediaFile, *, max_bytes: int) -> tuple[bytes, str]:
    """A small file's bytes, or why it is not read."""
    if file.path is None:
        return b"", file.problem
    if file.size > max_bytes:
        return b"", (
            f"caption file is too large ({file.size / (1 << 20):,.1f} MiB, at most "
            f"{max_bytes / (1 << 20):g})"
        )
    try:
        with file.path.open("rb") as opened:
            if file.stamp:
                refuse_changed(opened.fileno(), list(file.stamp))
            return opened.read(max_bytes + 1)[:max_bytes], ""
    except ChangedError:
        return b"", "caption file changed while it was read"
    except OSError as error:
        return b"", unreadable(error).replace("media file", "caption file")
    except StoreError as error:
        return b"", f"caption file cannot be read ({error})"


def _beginning_with(names: Sequence[str], prefix: str) -> list[str]:
    first = bisect_left(names, prefix)
    found = []
    for name in names[first:]:
        if not name.startswith(prefix):
            break
        found.append(name)
    return found

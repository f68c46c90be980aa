"""Media: where a video's file lies, its checksum without reading it again, and a copy to decode."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.place import Place

MISSING = "media file is missing"
OUTSIDE = "media lies outside the media folder"


@dataclass(frozen=True)
class MediaFile:
    """A file as the catalogue names it.

    Attributes:
        path: where it lies; None when it cannot be read.
        size, mtime_ns: as the file system says.
        problem: why it cannot be read; '' when it can.
    """

    path: Any
    size: int = -1
    mtime_ns: int = -1
    problem: str = ""


class Media:
    """Finds media files inside one folder and nowhere else.

    Args:
        place: the store.
        media_root: the folder, of this machine; empty: ``inputs/media`` of the store.
    """

    def __init__(self, place: Place, media_root: str) -> None:
        self.place = place
        self.is_local = bool(media_root) or place.is_local
        inputs = place.path("inputs", "media")
        if self.is_local:
            self.root: Any = Path(media_root or place.local(inputs)).resolve()
        else:
            self.root = inputs

    def find(self, uri: str) -> MediaFile:
        """The file of a uri: a path inside the folder, absolute or relative, or ``file://``."""
        try:
            parts = urlsplit(uri)
            name = unquote(parts.path) if parts.scheme == "file" else uri
            path = (self.root / name).resolve() if self.is_local else None
        except ValueError:  # an open bracket, a zero byte, half of a surrogate pair
            return MediaFile(None, problem="uri is no path")
        except RuntimeError:  # a link that leads to itself
            return MediaFile(None, problem=MISSING)
        if parts.scheme not in ("", "file"):
            return MediaFile(None, problem=f"media is remote ({parts.scheme}), fetch it first")
        if path is None:
            return self._find_remote(name)
        if not path.is_relative_to(self.root):
            return MediaFile(None, problem=OUTSIDE)
        try:
            status = path.stat()
        except OSError:
            return MediaFile(None, problem=MISSING)
        if not path.is_file():
            return MediaFile(None, problem="media is no file")
        return MediaFile(path, status.st_size, status.st_mtime_ns)

    def bring(self, path: Any, copy: Path) -> Path:
        """A file that native code can open: itself, or a copy on this machine.

        Raises:
            StoreError: it cannot be fetched; the message names it.
        """
        if self.is_local:
            return Path(str(path))
        try:
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except self.place.failures as error:
            copy.unlink(missing_ok=True)
            message = (
                f"media: cannot fetch {path} ({error}); check free space in {copy.parent} and "
                "that the object store answers"
            )
            raise StoreError(message) from error
        return copy

    def _find_remote(self, name: str) -> MediaFile:
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            return MediaFile(None, problem=OUTSIDE)
        path = self.root / name
        try:
            status = path.stat()
        except FileNotFoundError:
            return MediaFile(None, problem=MISSING)
        except self.place.failures as error:
            message = f"media: cannot look for {path} ({error}); does the object store answer?"
            raise StoreError(message) from error
        if not path.is_file():
            return MediaFile(None, problem="media is no file")
        return MediaFile(path, status.st_size, int(status.st_mtime * 1_000_000_000))


def checksum_file(path: Any) -> str:
    """sha256 (hex) of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

"""Media: where a video's file lies, and its checksum without reading it again."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vidrec_tasks.store.place import Place


@dataclass(frozen=True)
class MediaFile:
    """A file as the catalogue names it.

    Attributes:
        path: where it lies; None when it cannot be read.
        size, mtime_ns: as the file system says.
        problem: why it cannot be read; '' when it can.
    """

    path: Path | None
    size: int = -1
    mtime_ns: int = -1
    problem: str = ""


class Media:
    """Finds media files inside one folder and nowhere else.

    Args:
        place: the store.
        media_root: the folder; empty: ``inputs/media`` of the store.
    """

    def __init__(self, place: Place, media_root: str) -> None:
        root = Path(media_root) if media_root else place.local(place.path("inputs", "media"))
        self.root = root.resolve()

    def find(self, uri: str) -> MediaFile:
        """The file of a uri: a path inside the folder, absolute or relative, or ``file://``."""
        try:
            parts = urlsplit(uri)
            name = unquote(parts.path) if parts.scheme == "file" else uri
            path = (self.root / name).resolve()
        except ValueError:  # an open bracket, a zero byte, half of a surrogate pair
            return MediaFile(None, problem="uri is no path")
        except RuntimeError:  # a link that leads to itself
            return MediaFile(None, problem="media file is missing")
        if parts.scheme not in ("", "file"):
            return MediaFile(None, problem=f"media is remote ({parts.scheme}), fetch it first")
        if not path.is_relative_to(self.root):
            return MediaFile(None, problem="media lies outside the media folder")
        try:
            status = path.stat()
        except OSError:
            return MediaFile(None, problem="media file is missing")
        if not path.is_file():
            return MediaFile(None, problem="media is no file")
        return MediaFile(path, status.st_size, status.st_mtime_ns)


def checksum_file(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

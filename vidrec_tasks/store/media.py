"""Media: where a video's file lies, its checksum without reading it again, and a copy to decode."""

import hashlib
import logging
import re
import shutil
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from vidrec_tasks.errors import StoreError
from vidrec_tasks.stamps import ChangedError, refuse_changed, stamp_of
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

MISSING = "media file is missing"
OUTSIDE = "media lies outside the media folder"

BLOCK: Final = 1 << 20
GIB: Final = 1 << 30
PROGRESS: Final = GIB
"""Bytes after which reading a large file says how far it is."""


@dataclass(frozen=True)
class MediaFile:
    """A file as the catalogue names it.

    Attributes:
        path: where it lies; None when it cannot be read.
        size, mtime_ns: as the file system says.
        problem: why it cannot be read; '' when it can.
        stamp: of a file of this machine, see `stamps`; empty: not known.
    """

    path: Any
    size: int = -1
    mtime_ns: int = -1
    problem: str = ""
    stamp: tuple[int, ...] = ()


class Media:
    """Finds media files inside one folder and nowhere else.

    Args:
        store: the store.
        media_root: the folder, of this machine; empty: ``inputs/media`` of the store.
    """

    def __init__(self, store: Store, media_root: str) -> None:
        self.store = store
        self.is_local = bool(media_root) or store.is_local
        inputs = store.path("inputs", "media")
        if self.is_local:
            self.root: Any = Path(media_root or store.local(inputs)).resolve()
        else:
            self.root = inputs

    def find(self, uri: str) -> MediaFile:
        """The file of a uri: a path inside the folder, absolute or relative, or ``file://``.

        What stands before ``://`` is a scheme; a colon elsewhere is one of a name.
        """
        try:
            name, problem = _path_of(uri)
            if problem:
                return MediaFile(None, problem=problem)
            return self._find_local(name) if self.is_local else self._find_remote(name)
        except ValueError:  # an open bracket, a zero byte, half of a surrogate pair
            return MediaFile(None, problem="uri is not a path")
        except RuntimeError:  # a link that leads to itself
            return MediaFile(None, problem=MISSING)

    def _find_local(self, name: str) -> MediaFile:
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root):
            return MediaFile(None, problem=OUTSIDE)
        try:
            path = path if path.exists() else self._alike(path)
            status = path.stat()
        except PermissionError as error:
            return MediaFile(None, problem=unreadable(error))
        except OSError:
            return MediaFile(None, problem=MISSING)
        if not path.is_file():
            return MediaFile(None, problem="media is not a file")
        stamp = tuple(stamp_of(status))
        return MediaFile(path, status.st_size, status.st_mtime_ns, stamp=stamp)

    def _alike(self, path: Path) -> Path:
        """The one file beside it whose name differs in outer blanks or in how letters are composed.

        A table's texts have no outer blanks, and some systems write "é" as two characters.
        """
        wanted = _plain_name(path.name)
        alike = [other for other in path.parent.iterdir() if _plain_name(other.name) == wanted]
        found = alike[0].resolve() if len(alike) == 1 else path
        return found if found.is_relative_to(self.root) else path

    def bring(self, path: Any, copy: Path, checksum: str) -> Path:
        """A file that native code can open: itself, or a copy on this machine.

        Raises:
            ChangedError: what was fetched has another checksum.
            StoreError: it cannot be fetched; the message names it.
        """
        if self.is_local:
            return Path(str(path))
        try:
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, BLOCK)
        except self.store.failures as error:
            copy.unlink(missing_ok=True)
            message = (
                f"media: cannot fetch {path} ({error}); check free space in {copy.parent} and "
                "that the object store answers"
            )
            raise StoreError(message) from error
        if checksum_file(MediaFile(copy)) != checksum:
            copy.unlink()
            raise ChangedError
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
        except self.store.failures as error:
            message = f"media: cannot look for {path} ({error}); does the object store answer?"
            raise StoreError(message) from error
        if not path.is_file():
            return MediaFile(None, problem="media is not a file")
        return MediaFile(path, status.st_size, int(status.st_mtime * 1_000_000_000))


def unreadable(error: OSError) -> str:
    """The problem of a file that is there and cannot be read."""
    return f"media file cannot be read ({error.strerror or type(error).__name__})"


def _path_of(uri: str) -> tuple[str, str]:
    """The path that a uri names, or why it names none here."""
    scheme, is_url, _ = uri.partition("://")
    if not is_url or not _SCHEME.fullmatch(scheme):
        return uri, ""
    if scheme.lower() != "file":
        return "", f"media is remote ({scheme[:20]}), fetch it first"
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        return "", f"media is remote (file on {parts.netloc[:60]}), fetch it first"
    return unquote(parts.path), ""


def _plain_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def checksum_file(file: MediaFile) -> str:
    """sha256 (hex) of a file's bytes; says how far it is, once a GiB.

    Raises:
        ChangedError: it is not the file that was found, or was written to while it was read.
        OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    n_bytes = 0
    with file.path.open("rb") as opened:
        if file.stamp:
            refuse_changed(opened.fileno(), list(file.stamp))
        while block := opened.read(BLOCK):
            digest.update(block)
            n_bytes += len(block)
            if n_bytes % PROGRESS < BLOCK <= n_bytes:
                log.info("%s: %.0f of %.0f GiB hashed", file.path, n_bytes / GIB, file.size / GIB)
            if n_bytes > file.size >= 0:
                raise ChangedError
        if file.stamp:
            refuse_changed(opened.fileno(), list(file.stamp))
    return digest.hexdigest()

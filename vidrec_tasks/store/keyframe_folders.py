"""Keyframe folders: the thumbnails of a film, one folder a (decode settings, content checksum).

``features/keyframes/<settings>/<checksum>/``: on a disk written beside and renamed, in an object
store the table that names the thumbnails comes last; so whole or absent.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import CHECKSUM
from vidrec_tasks.store.codecs import decode, encode
from vidrec_tasks.store.store import Store

FRAMES_FILE = "frames.parquet"
_WORKSPACE: Final = ".workspace-"
_LEFT_AFTER_S: Final = 2 * 86_400
"""Seconds after which a workspace was left by a task that was killed."""


def keyframes_of(store: Store, checksum: str) -> list[Any]:
    """The folders of a film's keyframes, one for each way it was decoded in."""
    root = store.path("features", "keyframes")
    ways = [way for way in root.iterdir() if way.name[0] != "."] if store.exists(root) else []
    return [folder for way in ways if (folder := way / checksum).exists()]


class KeyframeFolders:
    """The keyframes of films under one way of decoding.

    Args:
        store: the store.
        way: a short hash of the decode settings.
    """

    def __init__(self, store: Store, way: str) -> None:
        self.store = store
        self.way = way
        self.root: Any = store.path("features", "keyframes")
        self.folder: Any = self.root / way

    def has(self, checksum: str) -> bool:
        """Whether a film was decoded."""
        return self.store.exists(self.folder / checksum / FRAMES_FILE)

    def find(self, checksum: str) -> pd.DataFrame | None:
        """The frames of a film, with ``path`` relative to ``root``, if it was decoded."""
        path = self.folder / checksum / FRAMES_FILE
        if not self.store.exists(path):
            return None
        frames: pd.DataFrame = decode("parquet", self.store.read(path))
        return frames

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder to write thumbnails in, on the store's disk or this machine's; gone after."""
        folder = Path(str(self.folder)) if self.store.is_local else self.store.cache("keyframes")
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_WORKSPACE}*"):  # by who was killed
            with suppress(OSError):  # another task's, which ended meanwhile
                if time.time() - left.stat().st_mtime > _LEFT_AFTER_S:
                    shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_WORKSPACE) as name:
            yield Path(name)

    def keep(self, frames: pd.DataFrame, workspace: Path) -> pd.DataFrame:
        """Move freshly decoded films into place.

        Args:
            frames: checksum, frame_num, path relative to ``workspace`` (``<checksum>/<n>.jpg``), ….
            workspace: where the thumbnails are.

        Returns:
            The frames with ``path`` relative to ``root``.
        """
        # Typed: no film at all would make the column of another kind, and so other bytes of it.
        paths = [f"{self.way}/{path}" for path in frames["path"]]
        frames = frames.assign(path=pd.Series(paths, index=frames.index, dtype="str"))
        move = self._rename if self.store.is_local else self._upload
        for checksum, rows in frames.groupby(CHECKSUM):
            move(str(checksum), encode(rows.reset_index(drop=True))[1], workspace / str(checksum))
        return frames

    def _rename(self, checksum: str, table: bytes, fresh: Path) -> None:
        (fresh / FRAMES_FILE).write_bytes(table)
        final = Path(str(self.folder / checksum))
        try:
            fresh.rename(final)
        except OSError:
            if not final.exists():
                raise
            shutil.rmtree(fresh)  # another run was quicker; both are the same

    def _upload(self, checksum: str, table: bytes, fresh: Path) -> None:
        for path in sorted(fresh.iterdir()):
            self.store.write(self.folder / checksum / path.name, path.read_bytes())
        self.store.write(self.folder / checksum / FRAMES_FILE, table)

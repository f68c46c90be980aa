"""Keyframe folders: the thumbnails of a film, one folder a (decode settings, content checksum).

``features/keyframes/<settings>/<checksum>/``: written beside and renamed, so whole or absent.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from vidrec_tasks.columns import CHECKSUM
from vidrec_tasks.store.codecs import decode, encode
from vidrec_tasks.store.place import Place

FRAMES_FILE = "frames.parquet"


class KeyframeFolders:
    """The keyframes of films under one way of decoding.

    Args:
        place: the store.
        way: a short hash of the decode settings.
    """

    def __init__(self, place: Place, way: str) -> None:
        self.place = place
        self.way = way
        self.root = place.local(place.path("features", "keyframes"))
        self.folder = self.root / way

    def has(self, checksum: str) -> bool:
        """Whether a film was decoded."""
        return (self.folder / checksum / FRAMES_FILE).exists()

    def find(self, checksum: str) -> pd.DataFrame | None:
        """The frames of a film, with ``path`` relative to ``root``, if it was decoded."""
        path = self.folder / checksum / FRAMES_FILE
        frames: pd.DataFrame | None = (
            decode("parquet", path.read_bytes()) if path.exists() else None
        )
        return frames

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A folder to write thumbnails in, on the same disk; gone afterwards."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".workspace-") as name:
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
        for checksum, rows in frames.groupby(CHECKSUM):
            fresh = workspace / str(checksum)
            (fresh / FRAMES_FILE).write_bytes(encode(rows.reset_index(drop=True))[1])
            final = self.folder / str(checksum)
            try:
                fresh.rename(final)
            except OSError:
                if not final.exists():
                    raise
                shutil.rmtree(fresh)  # another run was quicker; both are the same
        return frames

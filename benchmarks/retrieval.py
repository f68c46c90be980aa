"""Known-item search: is the clip that a caption describes found by its frames alone?

``python -m benchmarks.retrieval --clips DIR --captions CSV --json PATH``. The CSV has the columns
file and caption; others are ignored. Frames come through the real keyframe extraction, vectors from
the embedded encoders. A film's score is the mean of the query's cosine with the film (the mean
direction of its frames) and with its best frame: MRR 0.618, the film alone 0.612, the frame 0.582.
A clip that cannot be decoded counts as never found.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.one_line_errors import run
from vidrec_tasks.columns import CHECKSUM, FRAME_NUM, VIDEO_ID
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.embeddings import Embeddings, embed_videos
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.errors import InputError
from vidrec_tasks.hardware import cores
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger("benchmarks.retrieval")

FILE = "file"
CAPTION = "caption"
WORST_SHOWN = 10


def measure(clips: Path, captions: pd.DataFrame) -> pd.DataFrame:
    """Search every caption among all clips.

    Args:
        clips: the folder of the files.
        captions: file, caption.

    Returns:
        file, caption, rank (1 is best; a clip without frames ranks last), n_frames.
    """
    settings = ContentSettings()
    encoders = Encoders(settings)
    films = {str(num): clips / name for num, name in enumerate(captions[FILE])}
    with tempfile.TemporaryDirectory(prefix="vidrec-retrieval-") as name:
        found = extract_keyframes(films, settings, workspace=Path(name), n_processes=cores())
        for key, reason in found.failures.items():
            log.warning("%s: no frames: %s", captions[FILE].iloc[int(key)], reason)
        keyframes = found.frames.assign(**{VIDEO_ID: found.frames[CHECKSUM]})
        videos = pd.DataFrame({VIDEO_ID: list(films)})
        embeddings, counts = embed_videos(
            videos, keyframes, encoders, settings, read_image=_Thumbnails(Path(name)).read
        )
    log.info("%d frames of %d films", counts["frames_encoded"], counts["films_encoded"])
    queries = encoders.frame.encode_queries(captions[CAPTION].tolist())
    scores = 0.5 * (queries @ embeddings.vectors["frame"].T + best_frames(queries, embeddings))
    n_frames = keyframes.groupby(VIDEO_ID)[FRAME_NUM].size()
    return captions.assign(
        rank=ranks_of(scores, embeddings.table["has_frame"].to_numpy(dtype=bool)),
        n_frames=n_frames.reindex(videos[VIDEO_ID], fill_value=0).to_numpy(),
    )


def best_frames(
    queries: npt.NDArray[np.float32], embeddings: Embeddings
) -> npt.NDArray[np.float32]:
    """``(n_queries, n_videos)`` cosine with the nearest frame of each film; -1 without frames."""
    frames = embeddings.moments["frame"]
    cosines = pd.DataFrame((queries @ frames.vectors.T).T)  # (n_frames, n_queries)
    best = cosines.groupby(frames.table[VIDEO_ID].to_numpy()).max()
    rows = best.reindex(embeddings.table[VIDEO_ID].to_numpy(), fill_value=-1.0)
    return rows.to_numpy(dtype=np.float32).T


def ranks_of(
    scores: npt.NDArray[np.float32], is_there: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """``(n,)`` rank of film ``i`` for query ``i`` of ``(n, n)`` scores; ties count against it."""
    scores = np.where(is_there, scores, -np.inf)
    own = np.diag(scores)[:, None]
    ranks: npt.NDArray[np.int64] = (scores >= own).sum(axis=1)
    return ranks


def figures_of(ranks: npt.NDArray[np.int64]) -> dict[str, float | int]:
    """Recall at 1 and 5, mean reciprocal rank, and how many queries."""
    return {
        "r@1": round(float((ranks <= 1).mean()), 4),
        "r@5": round(float((ranks <= 5).mean()), 4),
        "mrr": round(float((1 / ranks).mean()), 4),
        "n": len(ranks),
    }


def read_captions(path: Path, clips: Path) -> pd.DataFrame:
    """The captions of the files that are there.

    Raises:
        InputError: a column is missing, or no file of the table lies in the folder.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in (FILE, CAPTION) if name not in table]
    if missing:
        message = f"{path}: column {missing[0]} is missing; it needs {FILE} and {CAPTION}"
        raise InputError(message)
    is_there = np.array([(clips / name).is_file() for name in table[FILE]], dtype=bool)
    if not is_there.any():
        message = f"{clips}: none of the {len(table)} files of {path} is there"
        raise InputError(message)
    if not is_there.all():
        log.warning("%d of %d files are not in %s", (~is_there).sum(), len(table), clips)
    return table.loc[is_there, [FILE, CAPTION]].reset_index(drop=True)


def report(found: pd.DataFrame) -> str:
    """A table of the figures, of halves of the set, and of what was found worst."""
    ranks = found["rank"].to_numpy()
    lines = [f"{'':24}{'R@1':>8}{'R@5':>8}{'MRR':>8}{'n':>6}"]
    parts = {"all": ranks, "even rows": ranks[::2], "odd rows": ranks[1::2]}
    for name, part in parts.items():
        if len(part):
            said = figures_of(part)
            lines.append(
                f"{name:24}{said['r@1']:8.3f}{said['r@5']:8.3f}{said['mrr']:8.3f}{said['n']:6}"
            )
    chance = np.arange(1, len(ranks) + 1)
    lines.append(
        f"{'chance':24}{1 / len(ranks):8.3f}{min(1, 5 / len(ranks)):8.3f}"
        f"{float((1 / chance).mean()):8.3f}{len(ranks):6}"
    )
    lines.append("\nworst found:")
    for row in found.sort_values("rank", ascending=False).head(WORST_SHOWN).itertuples():
        lines.append(f"  {row.rank:4}  {row.file}: {row.caption}")
    return "\n".join(lines)


class _Thumbnails:
    """Reads keyframes from the workspace."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def read(self, path: str) -> npt.NDArray[np.uint8]:
        return np.asarray(cv2.imread(str(self._workspace / path)), dtype=np.uint8)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips")
    parser.add_argument("--captions", type=Path, required=True, help="CSV: file, caption")
    parser.add_argument("--json", type=Path, required=True, help="where the figures are written")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = measure(options.clips, read_captions(options.captions, options.clips))
    said: dict[str, Any] = {"figures": figures_of(found["rank"].to_numpy())}
    options.json.write_text(json.dumps(said, indent=1) + "\n")
    sys.stdout.write(report(found) + "\n")
    return 0


if __name__ == "__main__":
    run(main)

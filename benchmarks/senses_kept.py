"""What texts cost the searches that need none: clips by their captions, with texts and without.

The clips are heard and their keyframes read as a night does it. Captions, which a person wrote, are
searched with titles withheld (by frames), with titles in other words and with half of their words;
and clips find those of their class by their fused vectors, by the weight of what is written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.paraphrasing import paraphrase
from benchmarks.searching_clips import found_by
from vidrec_tasks.columns import AT_S, CHECKSUM, FRAME_NUM, PATH, VIDEO_ID
from vidrec_tasks.content.decoding.keyframes import extract_keyframes
from vidrec_tasks.content.embeddings import Embeddings, embed_videos
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.encoding.model_files import speech_files
from vidrec_tasks.content.fusion import fuse
from vidrec_tasks.content.texts.films import FilmFile, hear
from vidrec_tasks.content.texts.passages import Cue, group
from vidrec_tasks.content.texts.screens import ScreenReader, read_frames
from vidrec_tasks.content.texts.tracks import SCREEN, SPEECH
from vidrec_tasks.hardware import cores
from vidrec_tasks.settings import ContentSettings, TextSettings

Floats = npt.NDArray[np.float32]

WEIGHTS: Final = (0.0, 0.1, 0.2, 0.3, 0.5)
COLUMNS: Final = [VIDEO_ID, "passage_num", "source", AT_S, "language", "text"]


def measure_kept(folder: Path, workspace: Path) -> dict[str, Any]:
    """MRR with texts relative to without, and the average precision of classes.

    Args:
        folder: holds clips.csv and clips/.
        workspace: keyframes are written there.
    """
    clips = pd.read_csv(folder / "clips.csv")
    settings = ContentSettings()
    encoders = Encoders(settings)
    ids = [f"{num:04}" for num in range(len(clips))]
    files = {i: folder / "clips" / name for i, name in zip(ids, clips["file"], strict=True)}
    frames = extract_keyframes(files, settings, workspace=workspace, n_processes=cores()).frames
    passages = pd.concat([_heard(files, settings), _read(frames, workspace)], ignore_index=True)
    captions = [str(caption) for caption in clips["caption"]]
    titles = [paraphrase(caption) for caption in captions]
    embeddings, _ = embed_videos(
        pd.DataFrame({VIDEO_ID: ids, "title": titles, "description": "", "tags": [[]] * len(ids)}),
        frames.assign(**{VIDEO_ID: frames[CHECKSUM]}),
        encoders,
        settings,
        read_image=lambda path: np.asarray(cv2.imread(str(workspace / path)), dtype=np.uint8),
        passages=passages,
    )
    half = [" ".join(title.split()[::2]) for title in titles]
    texts = {"frames": [""] * len(ids), "fused": titles, "half_titles": half}
    found = {
        f"clips_mrr_kept_{name}": _kept(captions, own, embeddings, encoders)
        for name, own in texts.items()
    }
    return {
        "clips_with_passages": int(passages[VIDEO_ID].nunique()),
        **found,
        "class_map_by_written_weight": _by_weight(embeddings, clips["class"], settings),
    }


def _heard(files: Mapping[str, Path], settings: ContentSettings) -> pd.DataFrame:
    films = {video_id: FilmFile(path) for video_id, path in files.items()}
    answers = hear(
        films, speech_files("embedded").folder, TextSettings(), max_pixels=settings.max_pixels,
        n_processes=cores(),
    )  # fmt: skip
    rows = [
        (video_id, num, SPEECH, passage.at_s, "en", passage.text)
        for video_id, answer in answers.items()
        for num, passage in enumerate(group(Cue(*cue) for cue in answer.get("cues", ())))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _read(frames: pd.DataFrame, workspace: Path) -> pd.DataFrame:
    reader = ScreenReader()
    rows = []
    for video_id, own in frames.groupby(CHECKSUM):
        seconds = dict(zip(own[FRAME_NUM], own[AT_S], strict=True))
        paths = list(zip(own[FRAME_NUM].astype(int), own[PATH], strict=True))
        lines = read_frames(
            paths, lambda path: np.asarray(cv2.imread(str(workspace / path)), np.uint8), reader
        )
        rows += [
            (video_id, num, SCREEN, float(seconds[line.frame_num]), "en", line.text)
            for num, line in enumerate(lines)
        ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _kept(
    captions: Sequence[str], titles: list[str], embeddings: Embeddings, encoders: Encoders
) -> float:
    """MRR of captions with passages relative to without."""
    queries = encoders.text.encode(captions), encoders.frame.encode_queries(captions)
    frame = {"frame": embeddings.moments["frame"]}
    passages = {name: embeddings.moments[name] for name in ("said", "written")}
    vectors = encoders.text.encode(titles)
    without = found_by(captions, queries, titles, vectors, frame)
    with_texts = found_by(captions, queries, titles, vectors, {**frame, **passages})
    return round(with_texts["mrr"] / without["mrr"], 4)


def _by_weight(
    embeddings: Embeddings, classes: pd.Series, settings: ContentSettings
) -> dict[str, float]:
    """Mean average precision with which clips find those of their class."""
    weights = {"text": settings.text_weight, "frame": 1 - settings.text_weight}
    found = {}
    for weight in WEIGHTS:
        others = {"said": settings.said_weight, "written": weight} if weight else {}
        both = {**weights, **others}
        fused = fuse({name: embeddings.vectors[name] for name in both}, both)
        found[str(weight)] = round(_average_precision(fused, classes.to_numpy()), 4)
    return found


def _average_precision(vectors: Floats, classes: Any) -> float:
    values = []
    for num, own in enumerate(classes):
        scores = vectors @ vectors[num]
        scores[num] = -np.inf
        hits = (classes == own)[np.argsort(-scores, kind="stable")[:-1]]
        if hits.any():
            values.append(float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean()))
    return float(np.mean(values))

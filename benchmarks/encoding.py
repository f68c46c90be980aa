"""Texts and frames a second: the night's encoders and what a user would write instead."""

import json
import logging
import statistics
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from benchmarks.bench_venv import run_in_bench_venv
from vidrec_tasks.content.encoding.efficientnet import plain_network
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.encoding.model_files import text_files
from vidrec_tasks.hardware import quick_dtype
from vidrec_tasks.settings import ContentSettings

log = logging.getLogger(__name__)

N_TEXTS: Final = 1_000
N_FRAMES: Final = 256
N_COMPARED: Final = 100
USUAL_BATCH: Final = 32
SEED: Final = 7

Image = npt.NDArray[np.uint8]


def measure_texts(
    data: Path | None, n_rounds: int, ratios: dict[str, Any], figures: dict[str, Any]
) -> None:
    """Texts a second, ours and `SentenceTransformer.encode`'s, in turn."""
    texts, kind = _texts(data)
    encoder = Encoders(ContentSettings()).text
    encoder.encode(texts[:64])
    ours, theirs, cosines = [], [], []
    for _ in range(n_rounds):
        begin = time.monotonic()
        vectors = encoder.encode(texts)
        ours.append(time.monotonic() - begin)
        try:
            answer = _ask_peer(texts)
        except (OSError, subprocess.CalledProcessError) as error:
            ratios["text_vs_sentence_transformers"] = None
            figures["reasons"]["text_vs_sentence_transformers"] = f"the peer does not run: {error}"
            return
        theirs.append(answer["seconds"])
        peers = np.array(answer["vectors"], dtype=np.float32)
        peers /= np.linalg.norm(peers, axis=1, keepdims=True)
        cosines.append(float((vectors[: len(peers)] * peers).sum(axis=1).min()))
    ratios["text_vs_sentence_transformers"] = _ratio(theirs, ours)
    figures["texts"] = {
        "texts_a_second": round(len(texts) / statistics.median(ours), 1),
        "sentence_transformers": round(len(texts) / statistics.median(theirs), 1),
        "least_cosine": round(min(cosines), 5),
        "n": len(texts),
        "texts": kind,
        "identity": encoder.identity,
        **_precision(figures, "text_vs_sentence_transformers"),
    }


def measure_frames(
    data: Path | None, n_rounds: int, ratios: dict[str, Any], figures: dict[str, Any]
) -> None:
    """Frames a second, ours (vectors and concepts too) and the plain fp32 network's, in turn."""
    images, kind = _images(data)
    encoder = Encoders(ContentSettings()).frame
    network = plain_network().eval()
    ways: dict[str, Callable[[], Any]] = {
        "ours": lambda: encoder.encode(images),
        "plain": lambda: _classify_plainly(network, images),
    }
    for way in ways.values():
        way()  # the first call loads weights and class texts
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(n_rounds):
        for name, way in ways.items():
            begin = time.monotonic()
            way()
            seconds[name].append(time.monotonic() - begin)
    ratios["frames_vs_fp32"] = _ratio(seconds["plain"], seconds["ours"])
    figures["frames"] = {
        "frames_a_second": round(len(images) / statistics.median(seconds["ours"]), 1),
        "plain_fp32": round(len(images) / statistics.median(seconds["plain"]), 1),
        "n": len(images),
        "frames": kind,
        "identity": encoder.identity,
        **_precision(figures, "frames_vs_fp32"),
    }


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    return round(statistics.median(t / o for t, o in zip(theirs, ours, strict=True)), 4)


def _precision(figures: dict[str, Any], ratio: str) -> dict[str, str]:
    precision = str(quick_dtype()).removeprefix("torch.")
    if precision == "float32":
        figures["reasons"][ratio] = (
            "no AMX on this processor, so float32 is taken: the ratio is fp32 against fp32"
        )
    return {"precision": precision}


def _texts(data: Path | None) -> tuple[list[str], str]:
    """Film overviews where they are at hand, else what the embedded class texts say."""
    if data is not None and (data / "tmdb-5000").is_dir():
        with zipfile.ZipFile(data / "tmdb-5000" / "tmdb_5000_movies.csv.zip") as archive:
            overviews = pd.read_csv(archive.open("tmdb_5000_movies.csv"))["overview"].dropna()
        overviews = overviews[overviews.str.len() > 20]
        return overviews.sample(N_TEXTS, random_state=SEED).tolist(), "film overviews"
    from vidrec_tasks.content.encoding.classes import class_texts

    return list(class_texts())[:N_TEXTS], "class descriptions, shorter than film overviews"


def _images(data: Path | None) -> tuple[list[Image], str]:
    """Frames of the real clips where they are at hand, else noise; each 320 pixels wide."""
    if data is not None and (data / "videos" / "clips").is_dir():
        images: list[Image] = []
        for clip in sorted((data / "videos" / "clips").iterdir()):
            capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
            frames = [capture.read()[1] for _ in range(3)]
            capture.release()
            images += [cv2.resize(f, (320, 180)) for f in frames if f is not None]
        return images[:N_FRAMES], "frames of real clips"
    rng = np.random.default_rng(SEED)
    noise = rng.integers(0, 255, (N_FRAMES, 180, 320, 3), dtype=np.uint8)
    return list(noise), "noise"


def _classify_plainly(network: torch.nn.Module, images: Sequence[Image]) -> None:
    """The usual loop: resize, normalise, batches of 32, fp32, softmax."""
    with torch.no_grad():
        for begin in range(0, len(images), USUAL_BATCH):
            batch = [
                cv2.cvtColor(cv2.resize(image, (224, 224)), cv2.COLOR_BGR2RGB)
                for image in images[begin : begin + USUAL_BATCH]
            ]
            pixels = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float()
            network((pixels - 127.0) / 128.0).softmax(dim=1)


def _ask_peer(texts: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        request, answer = Path(name) / "request.json", Path(name) / "answer.json"
        asked = {
            "model": str(text_files("embedded").folder),
            "texts": texts,
            "n_vectors": N_COMPARED,
        }
        request.write_text(json.dumps(asked))
        run_in_bench_venv("benchmarks.text_peer", str(request), str(answer))
        found: dict[str, Any] = json.loads(answer.read_text())
        return found

"""Senses: what is heard in clips and read on their screens, beside faster-whisper as it comes.

``python -m benchmarks.senses --data DIR --json PATH``. Clips are those of DIR/videos/clips. The
word error rate is measured where the publisher put captions into the film. False words are all
words of clips that nobody is known to speak in: of some it is not known, so they are a bound from
above. Title cards are drawn, since few clips show text. `senses_search` searches what is said,
`senses_kept` what needs no texts, `senses_weights` weighs it in fusion, `senses_nights` says what
it adds to a night. ``--only`` measures some of it.
"""

import argparse
import json
import logging
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from benchmarks.one_line_errors import run
from benchmarks.peaks import watched_children
from benchmarks.senses_kept import measure_kept
from benchmarks.senses_nights import measure_nights
from benchmarks.senses_search import measure_search
from benchmarks.senses_weights import measure_weights
from vidrec_tasks.content.encoding.model_files import speech_files
from vidrec_tasks.content.texts.films import FilmFile, hear, look_into
from vidrec_tasks.content.texts.screens import ScreenReader, read_frames
from vidrec_tasks.errors import InputError
from vidrec_tasks.hardware import cores
from vidrec_tasks.settings import ContentSettings, TextSettings

log = logging.getLogger("benchmarks.senses")

SPOKEN: Final = ("nasa-13013.mp4", "apply-eye-makeup.avi", "dog-on-skateboard.mp4")
"""Clips of which whole sentences are heard; what is heard in all others counts as false."""

CARDS: Final = (
    "THE LAST HARVEST", "Chapter One", "Rings of Saturn", "How to bake bread", "SUBSCRIBE NOW",
    "Breaking News Tonight", "Lesson 12: Fractions", "To be continued",
)  # fmt: skip
PARTS: Final = ("hearing", "reading", "search", "kept", "weights", "nights")

SCALES: Final = (0.5, 0.7, 1.0)
"""Sizes of letters on a frame 320 pixels wide: 11, 15 and 21 pixels high."""


def words_of(text: str) -> list[str]:
    """A text as plain words, for counting."""
    return re.findall(r"[\w']+", re.sub(r"^[A-Z]+:", "", text).lower().replace("’", "'"))


def word_errors(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out and changed: the edit distance."""
    row = list(range(len(heard) + 1))
    for num, word in enumerate(reference, start=1):
        before, row[0] = row[0], num
        for place, other in enumerate(heard, start=1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (word != other)),
            )
    return row[-1]


def measure_hearing(clips: Path) -> dict[str, Any]:
    """Hear all clips with sound as a night does, then as a user of faster-whisper would."""
    files = {path.name: FilmFile(path) for path in sorted(clips.iterdir())}
    looks = look_into(files, ContentSettings(), n_processes=cores())
    sounding = {
        name: FilmFile(clips / name, film_s=looks[name]["film_s"])
        for name in files
        if looks[name].get("has_sound")
    }
    begin = time.perf_counter()
    with watched_children() as peaks:
        heard = hear(
            sounding, speech_files("embedded").folder, TextSettings(),
            max_pixels=ContentSettings().max_pixels, n_processes=cores(),
        )  # fmt: skip
    seconds = time.perf_counter() - begin
    total_s = sum(answer.get("heard_s", 0.0) for answer in heard.values())
    others = [name for name in heard if name not in SPOKEN]
    false_words = {name: len(_heard_words(heard[name])) for name in others}
    minutes = sum(heard[name].get("heard_s", 0.0) for name in others) / 60
    plain_s = _plain_seconds(clips, list(sounding))
    return {
        **_word_error_rate(looks, heard),
        "clips_with_sound": len(sounding),
        "sound_s": round(total_s, 1),
        "false_words": sum(false_words.values()),
        "false_words_a_minute": round(sum(false_words.values()) / minutes, 3),
        "heard_in": {name: n for name, n in false_words.items() if n},
        "hearing_s": round(seconds, 2),
        "times_real_time": round(total_s / seconds, 1),
        "times_faster_whisper": round(plain_s / seconds, 2),
        "seconds_a_film": round(seconds / len(sounding), 3),
        "peak_mib_a_process": max(peaks.values(), default=0) // 1024,
    }


def _heard_words(answer: Mapping[str, Any]) -> list[str]:
    return [word for cue in answer.get("cues", ()) for word in words_of(str(cue[2]))]


def _word_error_rate(looks: Mapping[str, Any], heard: Mapping[str, Any]) -> dict[str, Any]:
    """Against the captions inside the films, up to the second at which the sound ends."""
    errors = n_words = n_clips = 0
    for name, answer in heard.items():
        tracks = [track for track in looks[name]["tracks"] if track["cues"]]
        if not tracks:
            continue
        until = float(answer["heard_s"])
        said = [text for at_s, end, text in tracks[0]["cues"] if end <= until + 0.5]
        reference = [word for text in said for word in words_of(text.replace("\n", " "))]
        errors += word_errors(reference, _heard_words(answer))
        n_words += len(reference)
        n_clips += 1
    return {
        "word_error_rate": round(errors / n_words, 3) if n_words else None,
        "words_known": n_words,
        "clips_with_captions": n_clips,
    }


def _plain_seconds(clips: Path, names: Sequence[str]) -> float:
    """Seconds that faster-whisper takes with its own defaults, on all cores."""
    from faster_whisper import WhisperModel

    begin = time.perf_counter()
    model = WhisperModel(
        str(speech_files("embedded").folder), device="cpu", compute_type="int8",
        cpu_threads=cores(), local_files_only=True,
    )  # fmt: skip
    for name in names:
        list(model.transcribe(str(clips / name))[0])
    return time.perf_counter() - begin


def measure_reading() -> dict[str, Any]:
    """Read title cards over a picture that is not plain; characters found and seconds a frame."""
    reader = ScreenReader(n_threads=cores())
    rng = np.random.default_rng(1)
    found = n_chars = 0
    begin = time.perf_counter()
    for scale in SCALES:
        for text in CARDS:
            lines = read_frames([(0, "")], lambda _, c=(text, scale, rng): card(*c), reader)  # type: ignore[misc]
            read = _letters("".join(line.text for line in lines))
            n_chars += len(_letters(text))
            found += len(_letters(text)) - min(
                word_errors(_letters(text), read), len(_letters(text))
            )
    seconds = time.perf_counter() - begin
    return {
        "characters": n_chars,
        "characters_found": round(found / n_chars, 3),
        "seconds_a_frame_read": round(seconds / (len(SCALES) * len(CARDS)), 3),
    }


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def card(text: str, scale: float, rng: np.random.Generator) -> Any:
    """A frame with a line of light text over soft blocks of colour."""
    blocks = rng.integers(0, 110, (5, 8, 3), dtype=np.uint8)
    image = cv2.resize(blocks, (320, 180), interpolation=cv2.INTER_CUBIC)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, 1 if scale < 0.7 else 2
    (width, _), _ = cv2.getTextSize(text, font, scale, thick)
    scale = min(scale, scale * 300 / width)
    cv2.putText(image, text, (10, 100), font, scale, (240, 240, 240), thick, cv2.LINE_AA)
    return image


def quiet_clips(clips: Path) -> list[str]:
    """Names of the clips that have neither sound nor streams of text."""
    files = {path.name: FilmFile(path) for path in sorted(clips.iterdir())}
    looks = look_into(files, ContentSettings(), n_processes=cores())
    return [
        name
        for name, look in looks.items()
        if "failure" not in look and not look["has_sound"] and not look["tracks"]
    ]


def measure(data: Path, *, n_queries: int, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """All figures, or those of some parts.

    Raises:
        InputError: the clips are not there.
    """
    videos = data / "videos"
    clips = videos / "clips"
    if not clips.is_dir():
        message = f"senses: no folder {clips}; give the folder of the real data with --data"
        raise InputError(message)
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        ways: Mapping[str, Callable[[], dict[str, Any]]] = {
            "hearing": lambda: measure_hearing(clips),
            "reading": measure_reading,
            "search": lambda: measure_search(data, n_queries=n_queries),
            "kept": lambda: measure_kept(videos, Path(name)),
            "weights": lambda: measure_weights(data),
            "nights": lambda: measure_nights(clips, quiet_clips(clips)),
        }
        return {key: value for part in parts for key, value in ways[part]().items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.senses", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--queries", type=int, default=300, help="searches for what is said")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some parts alone")
    asked = parser.parse_args(arguments)
    figures = measure(asked.data, n_queries=asked.queries, parts=asked.only)
    for name, value in figures.items():
        print(f"{name:<28} {value}")
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps({"figures": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    sys.exit(run(main))

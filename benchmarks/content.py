"""Content side by side: keyframes, texts and frames against what a user would write instead.

``python -m benchmarks.content [--data DIR] --json PATH``. Keyframes go the night's own way: the job
extract_keyframes of a store made for it, its decoding processes included. What it is compared with
is measured in the same rounds on the same machine; ratios are medians over the rounds. A figure
that cannot be had is null, and ``figures.reasons`` says why.

``--only nights --films 2000`` runs the content jobs of two nights over so many small films: what a
night in which nothing changed costs (``second_night_share``), how large the largest process grows
(``peak_gib``).
"""

import argparse
import json
import logging
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import encoding, keyframing, nights
from benchmarks.films import ffmpeg_path, make_films
from benchmarks.one_line_errors import run

log = logging.getLogger("benchmarks.content")

N_FILMS = 20
N_SMALL_FILMS = 100
N_ROUNDS = 3
PARTS = ["keyframes", "encoders", "nights"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.content", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with videos/clips and tmdb-5000")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--films", type=int, help="films of the batch, and small films of a night")
    parser.add_argument("--rounds", type=int, default=N_ROUNDS)
    parser.add_argument("--only", choices=PARTS, help="measure one part alone")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    ratios: dict[str, float | None] = {}
    figures: dict[str, Any] = {"reasons": {}}
    parts = [asked.only] if asked.only else PARTS
    if "keyframes" in parts:
        _keyframes(asked, ratios, figures)
    if "encoders" in parts:
        for measure in (encoding.measure_texts, encoding.measure_frames):
            measure(asked.data, asked.rounds, ratios, figures)
    if "nights" in parts:
        _nights(asked.films or N_SMALL_FILMS, figures)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps({"ratios": ratios, "figures": figures}, indent=1) + "\n")
    log.info("%s", json.dumps(ratios))


def _keyframes(
    asked: argparse.Namespace, ratios: dict[str, float | None], figures: dict[str, Any]
) -> None:
    names = ("keyframes_vs_read", "keyframes_vs_seek", "keyframes_vs_ffmpeg_limit")
    if ffmpeg_path() is None:
        ratios |= dict.fromkeys(names)
        figures["reasons"] |= dict.fromkeys(
            names, "ffmpeg is not installed: no films to measure on"
        )
    else:
        with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
            n_films = asked.films or N_FILMS
            log.info("making %d films", n_films)
            films = make_films(Path(name), n_films)
            rounds = [keyframing.measure(films, number) for number in range(asked.rounds)]
        _summarise(rounds, n_films, ratios, figures)
    if asked.data is None:
        figures["clips"] = None
        figures["reasons"]["clips"] = "no --data"
        return
    clips = sorted((asked.data / "videos" / "clips").iterdir())
    figures["clips"] = keyframing.measure_clips(clips)


def _nights(n_films: int, figures: dict[str, Any]) -> None:
    names = ("second_night_share", "peak_gib")
    if ffmpeg_path() is None:
        figures |= dict.fromkeys((*names, "nights"))
        figures["reasons"] |= dict.fromkeys(names, "ffmpeg is not installed: no films to run on")
        return
    found = nights.measure(n_films)
    figures |= {name: found.pop(name) for name in names}
    figures["nights"] = found


def _summarise(
    rounds: list[dict[str, float]],
    n_films: int,
    ratios: dict[str, float | None],
    figures: dict[str, Any],
) -> None:
    """Medians of seconds a film, and of the ratios of each round."""

    def median(value: Callable[[dict[str, float]], float]) -> float:
        return round(statistics.median(value(seconds) for seconds in rounds), 4)

    ways = {"read": "read", "seek": "seek", "ffmpeg": "ffmpeg_limit"}
    for way, name in ways.items():
        ratios[f"keyframes_vs_{name}"] = median(lambda s, w=way: s[w] / s["extract"])
    figures["keyframes"] = {
        "whole_job": {f"vs_{n}": median(lambda s, w=w: s[w] / s["job"]) for w, n in ways.items()},
        "seconds_a_film": {name: median(lambda s, n=name: s[n]) for name in rounds[0]},
        "rounds": [{name: round(value, 4) for name, value in s.items()} for s in rounds],
        "n_films": n_films,
        "how": keyframing.HOW,
    }


if __name__ == "__main__":
    run(main)

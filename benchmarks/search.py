"""Search and similar videos side by side with their parts: words, vectors and frames alone.

``python -m benchmarks.search [--data DIR] [--catalogue CSV --links CSV] --json PATH``. Clips are
searched by caption with titles withheld, with titles in other words, and both; a catalogue of
YouTube by a sentence of its descriptions; similar videos against links that are known. Ratios that
the data for is absent are null, and ``figures.reasons`` says why. ``--encoder`` and ``--prefix``
name another text encoder, ``--only`` some parts.
"""

import argparse
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import searching_clips, searching_links, searching_titles
from benchmarks.one_line_errors import run
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.settings import ContentSettings

PARTS = ("clips", "youtube", "chinese", "similar")

log = logging.getLogger("benchmarks.search")

RATIOS = (
    "fused_vs_best_single",
    "youtube_mrr_vs_bm25",
    "youtube_mrr_vs_vectors",
    "similar_recall_vs_best_baseline",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.search", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with videos, youtube-3600, tmdb-5000")
    parser.add_argument("--catalogue", type=Path, help="csv: video_id, title, description, tags")
    parser.add_argument("--links", type=Path, help="csv: video_id, linked_id")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--queries", type=int, default=1_000, help="YouTube queries at most")
    parser.add_argument(
        "--encoder", default="embedded", help="a folder or hub id of a text encoder"
    )
    parser.add_argument("--prefix", default="", help="what it wants before every text")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some parts alone")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    ratios: dict[str, float | None] = dict.fromkeys(RATIOS)
    figures: dict[str, Any] = {"reasons": {}}
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        settings = ContentSettings(text_encoder=asked.encoder, text_prefix=asked.prefix)
        encoders = Encoders(settings, cache=Path(name))
        if asked.data is None:
            figures["reasons"] |= dict.fromkeys(RATIOS[:3], "no --data")
        else:
            _search(asked, encoders, Path(name), ratios, figures)
        if "similar" in asked.only:
            _similar(asked, encoders, ratios, figures)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps({"ratios": ratios, "figures": figures}, indent=1) + "\n")
    log.info("%s", json.dumps(ratios))


def _search(
    asked: argparse.Namespace,
    encoders: Encoders,
    folder: Path,
    ratios: dict[str, float | None],
    figures: dict[str, Any],
) -> None:
    if "clips" in asked.only:
        clips = searching_clips.measure(asked.data / "videos", encoders, folder)
        single = max(clips["frames"]["mrr"], clips["text"]["mrr"])
        ratios["fused_vs_best_single"] = round(clips["fused"]["mrr"] / single, 4)
        figures["clips"] = clips
    if "youtube" in asked.only:
        titles = searching_titles.measure(
            asked.data / "youtube-3600" / "youtube.csv", encoders, n_queries=asked.queries
        )
        ratios["youtube_mrr_vs_bm25"] = round(titles["fused"] / titles["bm25"], 4)
        ratios["youtube_mrr_vs_vectors"] = round(titles["fused"] / titles["vectors"], 4)
        figures["youtube_mrr"] = titles
    if "chinese" in asked.only:
        figures["chinese"] = searching_clips.measure_chinese(encoders)
    for name in figures:
        log.info("%s: %s", name, json.dumps(figures[name]))


def _similar(
    asked: argparse.Namespace,
    encoders: Encoders,
    ratios: dict[str, float | None],
    figures: dict[str, Any],
) -> None:
    if asked.catalogue and asked.links:
        found = {"given": searching_links.read_catalogue(asked.catalogue, asked.links)}
    elif asked.data is not None:
        found = searching_links.known_links(asked.data)
    else:
        reason = "neither --catalogue with --links nor --data"
        figures["reasons"]["similar_recall_vs_best_baseline"] = reason
        return
    figures["similar_recall_at_10"] = {}
    for name, catalogue in found.items():
        recalls = searching_links.measure(catalogue, encoders)
        figures["similar_recall_at_10"][name] = recalls
        log.info("similar, links of %s: %s", name, json.dumps(recalls))
    known = [recalls["ratio"] for recalls in figures["similar_recall_at_10"].values()]
    known = [ratio for ratio in known if ratio is not None]
    if not known:
        reason = "no link joins two videos of the catalogue that a baseline finds"
        figures["reasons"]["similar_recall_vs_best_baseline"] = reason
        return
    # the smallest: a method must hold on every kind of links
    ratios["similar_recall_vs_best_baseline"] = min(known)


if __name__ == "__main__":
    run(main)

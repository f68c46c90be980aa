"""The page of all benchmarks: docs/BENCHMARKS.md from their JSON, each figure beside its target."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "BENCHMARKS.md"

TARGETS: Final[Mapping[str, Mapping[str, str]]] = {
    "content": {
        "keyframes_vs_read": ">= 30", "keyframes_vs_seek": ">= 30",
        "keyframes_vs_ffmpeg_limit": ">= 0.7", "text_vs_sentence_transformers": ">= 2.5",
        "frames_vs_fp32": ">= 4", "second_night_share": "<= 0.03", "peak_gib": "< 2",
    },
    "retrieval": {"r@1": ">= 0.42", "r@5": ">= 0.68"},
    "senses": {
        "word_error_rate": "<= 0.15", "false_words_a_minute": "<= 1", "times_real_time": ">= 8",
        "times_faster_whisper": ">= 1", "characters_found": ">= 0.9", "said_r@1": ">= 0.8",
        "title_share_kept": ">= 0.99",
    },
    "language": {
        "portraits_vs_one_by_one": ">= 8", "claim_precision": ">= 1",
        "portrait_claim_precision": ">= 1", "claims_per_portrait": ">= 4",
        "portrait_identifies": ">= 2", "portrait_only_ndcg": ">= 2",
        "model_written_share": ">= 0.9", "sentences_of_a_second_night": "<= 0",
        "counterfactual_share": ">= 0.9", "sensible_share": ">= 0.98",
        "claims_per_explanation": ">= 2", "injections_leaked": "<= 0",
        "planted_false_caught": ">= 1",
    },
    "cards": {
        "tmdb_neighbours_vs_text_alone": ">= 1", "youtube_neighbours_vs_text_alone": ">= 1",
        "card_injections_leaked": "<= 0", "card_false_caught": ">= 1",
    },
    "attribution": {
        "attribution_speedup": ">= 3", "attribution_speedup_long": ">= 3",
        "counterfactual_share": ">= 0.98", "counterfactual_share_long": ">= 0.98",
    },
    "search": {
        "fused_vs_best_single": ">= 1", "youtube_mrr_vs_bm25": ">= 1.1",
        "youtube_mrr_vs_vectors": ">= 1.1", "similar_recall_vs_best_baseline": ">= 1.1",
    },
    "quality-loo": {
        "ndcg_vs_best_peer": ">= 1.15", "ndcg_vs_best_peer_low": "> 1",
        "diversity.diversity_gain": ">= 0.15",
    },
    "quality-cold": {"cold_recall_vs_content_knn": ">= 1.5", "warm_ndcg_vs_no_content": ">= 0.99"},
    "quality-against": {"ndcg_vs_without": ">= 0.99", "turned_away_vs_without_high": "< 1"},
    "publishing": {
        "vs_to_sql": ">= 20", "vs_copy": ">= 0.6", "reader_errors": "<= 0", "mixed_reads": "<= 0",
    },
    "page": {"slowest_page_vs_bound": ">= 1"},
    "scale": {
        "search_vs_faiss_flat": ">= 0.8", "search_recall": ">= 0.95",
        "growth_exponent": "<= 1.1", "catalogue_exponent": "<= 0.3", "peak_gib": "<= 3",
        "lists_equal_dense": ">= 0.98", "orchestration_share": "< 0.1",
    },
    "training": {"sampled_vs_full_ndcg": ">= 0.95", "peak_vs_memory": "<= 1"},
    "out_of_core": {"peak_vs_limit": "<= 1"},
    "soak": {"store_growth": "<= 1.2", "memory_growth": "<= 1.1", "seconds_growth": "<= 1.2"},
}  # fmt: skip


NOT_RUN: Final = "Not run"


def write_page(folder: Path, names: Sequence[str], into: Path = PAGE) -> None:
    """Write the page from a folder of JSON files; what was not run keeps what the page said."""
    earlier = into.read_text("utf-8") if into.exists() else ""
    into.write_text(page_of(folder, names, earlier), encoding="utf-8")


def page_of(folder: Path, names: Sequence[str], earlier: str = "") -> str:
    """The page: one table a benchmark, and what ran it.

    Args:
        folder: of the JSON files.
        names: of the benchmarks, in order.
        earlier: the page as it was: the parts of what was not run stay, with their own machine.
    """
    said_before = dict(part.split("\n", 1) for part in earlier.split("\n## ")[1:])
    lines = [
        "# Benchmarks",
        "<!-- Made by `make bench`; run it again instead. -->",
        "",
        "Each in a process of its own, one after the other. A ratio compares two ways in one run "
        "on one machine; seconds are of a machine that may have been busy. What a figure means is "
        "said in the docstring of the benchmark (`benchmarks/`).",
    ]
    for name in names:
        made = _section(folder, name)
        if made[0].startswith(NOT_RUN) and name in said_before:
            made = said_before[name].strip("\n").split("\n")
        lines += ["", f"## {name}", "", *made]
    return "\n".join(lines) + "\n"


def _section(folder: Path, name: str) -> list[str]:
    path, how = folder / f"{name}.json", folder / f"{name}.run.json"
    said: dict[str, Any] = json.loads(how.read_text()) if how.exists() else {}
    if not path.exists():
        if said.get("exit_code"):
            return [f"Failed: exit {said['exit_code']} after {said['seconds']:,} s."]
        return [f"{NOT_RUN}{': ' + said['not_run'] if 'not_run' in said else ''}."]
    found = json.loads(path.read_text())
    targets = TARGETS.get(name, {})
    numbers = _numbers_of(found)
    worlds = {world: _numbers_of(one) for world, one in found.get("worlds", {}).items()}
    reasons = found.get("figures", {}).get("reasons") or {}
    lines = []
    if said.get("is_quick"):
        lines += ["Run on little, to see that it runs: these figures say nothing.", ""]
    if said.get("exit_code"):
        lines += [f"It ended with exit {said['exit_code']}: what stands here may not be all.", ""]
    if found.get("systems"):
        lines += [*_systems(found["systems"]), ""]
    columns = ["value, the worse" if worlds else "value", *worlds, "target", ""]
    lines += [_cells("figure", *columns), "|---" * (len(columns) + 1) + "|"]
    ordered = [*targets, *(key for key in numbers if key not in targets)]
    lines += [
        _row(
            key, [it.get(key) for it in (numbers, *worlds.values())], targets.get(key, ""),
            str(reasons.get(key, "")),
        )
        for key in ordered
    ]  # fmt: skip
    return [*lines, *_machine(said)]


def _numbers_of(found: Mapping[str, Any]) -> dict[str, float]:
    return {**_numbers(found.get("ratios", {})), **_numbers(found.get("figures", {}))}


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """The plain numbers; one level of a dict of numbers is spelled ``outer.inner``."""
    numbers: dict[str, float] = {}
    for name, value in found.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            numbers[name] = value
        elif isinstance(value, Mapping):
            numbers |= {
                f"{name}.{key}": inner for key, inner in value.items()
                if isinstance(inner, int | float) and not isinstance(inner, bool)
            }  # fmt: skip
    return numbers


def _row(name: str, values: Sequence[float | None], target: str, reason: str) -> str:
    """A figure: its value, then that of each world; the verdict is on the first."""
    value = values[0]
    shown = ["not measured" if one is None else _shown(one, target) for one in values]
    verdict = "" if not target or value is None else "reached" if holds(value, target) else "missed"
    remark = ": ".join(part for part in (verdict, reason.replace("|", "/")) if part)
    return _cells(name, *shown, target, remark)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: float, target: str) -> str:
    """Four digits, or as many as it takes that rounding does not turn the verdict."""
    if not value % 1:
        return f"{value:,.0f}"
    for digits in range(4, 17):
        rounded = float(f"{value:.{digits}g}")
        if not target or holds(rounded, target) == holds(value, target):
            break
    return f"{rounded:,.{digits}g}"


def holds(value: float, target: str) -> bool:
    """Whether a value is as a target like ``>= 1.5`` asks."""
    sign, bound = target.split()
    compared = {
        ">=": value >= float(bound), "<=": value <= float(bound), ">": value > float(bound),
        "<": value < float(bound),
    }  # fmt: skip
    return compared[sign]


def _systems(systems: Mapping[str, Mapping[str, float]]) -> list[str]:
    columns = list(next(iter(systems.values())))
    best_first = sorted(systems.items(), key=lambda item: -item[1][columns[0]])
    lines = [_cells("system", *columns), "|---" * (len(columns) + 1) + "|"]
    return lines + [_cells(name, *(f"{row[c]:,.4g}" for c in columns)) for name, row in best_first]


def _machine(said: Mapping[str, Any]) -> list[str]:
    if "machine" not in said:
        return []
    it = said["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in it["versions"].items())
    took = f"; {said['seconds']:,.0f} s" if said.get("seconds") else ""
    load = "" if it.get("load_before") is None else f", load {it['load_before']} before"
    day = f"{it['day']}: " if it.get("day") else ""
    return [
        "",
        f"{day}{it['processor']}, {it['cores']} cores, {it['memory_gib']} GiB{load}{took}. "
        f"Python {it['python']}, {versions}.",
    ]

"""What signals against are worth: how many listed videos are turned away later, and NDCG@10.

The protocol ``against`` of `benchmarks.quality`. One fit makes the lists twice: with the part of
the scores that lowers what is like what was turned away (`lists.turning_away`), and without it. A
listed video counts as turned away if the user's next visit to it has a weight below 0: a dislike, a
skip, a short play, a rating well below the user's mean.
"""

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.against_events import Later, load_later
from benchmarks.quality_fits import fit_chosen, settings_of
from benchmarks.quality_results import ENOUGH_USERS, OURS
from vidrec_tasks.audience.histories import BLOCK, Histories
from vidrec_tasks.measuring.intervals import bootstrap_interval, paired_bootstrap
from vidrec_tasks.measuring.metrics import ranking_metrics
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.ranker import score
from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY, USUAL, part_of_score
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger("benchmarks.against")

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

N: Final = 10
WITHOUT: Final = "without signals against"
WEIGHTS: Final = (0.0, 0.5, 1.0, 2.0, 3.0)
"""Weights of the part that are tried."""
N_DRAWS: Final = 2_000


@dataclass(frozen=True)
class PerUser:
    """What a system's lists hold.

    Attributes:
        ndcg: ``(n_liking,)`` NDCG@10 of the users who liked something later.
        turned_away, liked: ``(n_asked,)`` listed videos of either kind.
    """

    ndcg: Doubles
    turned_away: Doubles
    liked: Doubles


def measure_against(
    preset: str, source: Path, *, one_cut: bool | None, seed: int, **options: Any
) -> dict[str, Any]:
    """Fit, list with every weight, and compare.

    Args:
        preset: how the files are read.
        source: their folder.
        one_cut: see `load_later`; None: one cut for everybody if enough users are asked then.
        seed: of ties and training.
        options: of the preset.
    """
    later = load_later(preset, source, one_cut=one_cut is not False, seed=seed, **options)
    if one_cut is None and len(asked_of(later)) < ENOUGH_USERS:
        log.info("%d users after one cut; each has their own", len(asked_of(later)))
        later = load_later(preset, source, one_cut=False, seed=seed, **options)
    settings = settings_of(seed, later.window_s)
    models = fit_chosen(later.train, later.content, settings)
    found = lists_of(models, later, settings)
    measured = {weight: measure(lists, later) for weight, lists in found.items()}
    return summarise(measured, later, default=settings.against)


def asked_of(later: Later) -> Ints:
    """The users who liked something new after their cut, or turned it away."""
    pairs = zip(later.liked, later.turned_away, strict=True)
    return np.flatnonzero([len(liked) + len(away) > 0 for liked, away in pairs])


def with_weight(models: Models, weight: float) -> Models:
    """The same models with another weight of the part, with usual worths if none are learned."""
    chosen = models.configuration
    worths = chosen.learned.get(TURNED_AWAY, {"worths": dict(USUAL)})
    learned = {**chosen.learned, TURNED_AWAY: {**worths, "weight": weight}}
    return replace(models, configuration=replace(chosen, learned=learned))


def lists_of(models: Models, later: Later, settings: RecommendingSettings) -> dict[float, Ints]:
    """Weight -> ``(n_asked, 20)`` the best candidates of the users who are asked."""
    users = asked_of(later)
    histories = replace(later.train.take(users), buckets=np.arange(len(users)) // BLOCK)
    parts = [_best(models, block, settings) for _, block in histories.blocks()]
    return {weight: np.concatenate([part[weight] for part in parts]) for weight in WEIGHTS}


def _best(models: Models, block: Histories, settings: RecommendingSettings) -> dict[float, Ints]:
    """The same candidates and scores, with as much of the part as each weight says."""
    everything = Eligible.everything(block.n_users, models.content.n_videos)
    nums, _ = find_candidates(Search(models), block, everything, settings)
    bare, once = with_weight(models, 0.0), with_weight(models, 1.0)
    scores = score(bare, block, nums, scorer=models.configuration.scorer)
    part = part_of_score(Block(models=once, histories=block), nums)
    best = {}
    for weight in WEIGHTS:
        total = np.where(nums >= 0, scores + weight * part, -np.inf)
        order = np.argsort(-total, axis=1, kind="stable")
        best[weight] = np.take_along_axis(nums, order, axis=1)[:, : 2 * N]
    return best


def measure(lists: Ints, later: Later) -> PerUser:
    """Of lists ``(n_asked, n)``."""
    users = asked_of(later)
    liked = [set(later.liked[user].tolist()) for user in users]
    away = [set(later.turned_away[user].tolist()) for user in users]
    return PerUser(
        ranking_metrics(lists, liked)[f"ndcg@{N}"].to_numpy(np.float64),
        _listed(lists, away),
        _listed(lists, liked),
    )


def _listed(lists: Ints, wanted: Sequence[set[int]]) -> Doubles:
    """``(n_asked,)`` how many of the wanted are among the first N."""
    rows = zip(lists[:, :N].tolist(), wanted, strict=True)
    return np.array([len(some.intersection(row)) for row, some in rows], dtype=np.float64)


def summarise(measured: dict[float, PerUser], later: Later, *, default: float) -> dict[str, Any]:
    """Systems by weight, and the default's ratios to the lists without the part."""
    plain = measured[0.0]
    ratios = {weight: _ratios(found, plain) for weight, found in measured.items() if weight}
    figures: dict[str, Any] = {
        "n_users": len(plain.liked),
        "n_users_liked": len(plain.ndcg),
        "n_liked": int(sum(map(len, later.liked))),
        "n_turned_away": int(sum(map(len, later.turned_away))),
        "one_cut": later.window_s > 0,
        "weight": default,
        "by_weight": {str(weight): row for weight, row in ratios.items()},
    }
    if figures["n_users"] < ENOUGH_USERS:
        figures["claim"] = f"none: {figures['n_users']} users are too few"
    names = {weight: f"{OURS}, weight {weight:g}" for weight in measured if weight}
    names |= {0.0: WITHOUT, default: OURS}
    return {
        "systems": {names[weight]: _system(found) for weight, found in measured.items()},
        "ratios": ratios[default],
        "figures": figures,
    }


def _system(found: PerUser) -> dict[str, float]:
    interval = bootstrap_interval(found.turned_away / N, n_draws=N_DRAWS, rng=_rng())
    return {
        f"ndcg@{N}": float(found.ndcg.mean()),
        "turned_away_share": interval.mean,
        "turned_away_share_low": interval.low,
        "turned_away_share_high": interval.high,
        "turned_away_of_met": _of_met(found.turned_away.sum(), found.liked.sum()),
    }


def _ratios(found: PerUser, plain: PerUser) -> dict[str, float]:
    ndcg, away = (
        paired_bootstrap(mine, its, n_draws=N_DRAWS, rng=_rng()).ratio
        for mine, its in ((found.ndcg, plain.ndcg), (found.turned_away, plain.turned_away))
    )
    return {
        "ndcg_vs_without": ndcg.mean,
        "ndcg_vs_without_low": ndcg.low,
        "ndcg_vs_without_high": ndcg.high,
        "turned_away_vs_without": away.mean,
        "turned_away_vs_without_low": away.low,
        "turned_away_vs_without_high": away.high,
        **_ratio_of_met(found, plain),
    }


def _ratio_of_met(found: PerUser, plain: PerUser) -> dict[str, float]:
    """Of the listed videos that users met later, the share turned away, over that without."""
    rng, n = _rng(), len(found.liked)
    counts = np.array([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(N_DRAWS)])
    drawn = [_of_met(counts @ of.turned_away, counts @ of.liked) for of in (found, plain)]
    low, high = np.quantile(drawn[0] / np.maximum(drawn[1], 1e-9), [0.025, 0.975])
    mine, its = (_of_met(of.turned_away.sum(), of.liked.sum()) for of in (found, plain))
    return {
        "turned_away_of_met_vs_without": float(mine / max(its, 1e-9)),
        "turned_away_of_met_vs_without_low": float(low),
        "turned_away_of_met_vs_without_high": float(high),
    }


def _of_met(turned_away: Any, liked: Any) -> Any:
    return turned_away / np.maximum(turned_away + liked, 1e-9)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def print_against(found: dict[str, Any]) -> None:
    """The table, and the ratios of the default."""
    names = (f"ndcg@{N}", "turned_away_share", "turned_away_of_met")
    sys.stdout.write(f"{'':28}" + "".join(f"{name:>20}" for name in names) + "\n")
    for name, row in found["systems"].items():
        sys.stdout.write(f"{name:28}" + "".join(f"{row[n]:20.4f}" for n in names) + "\n")
    figures, ratios = found["figures"], found["ratios"]
    cut = "one cut" if figures["one_cut"] else "a cut for each user"
    sys.stdout.write(
        f"{figures['n_users']:,} users, {cut}; {figures['n_liked']:,} videos liked later, "
        f"{figures['n_turned_away']:,} turned away\n"
    )
    for name in ("ndcg", "turned_away", "turned_away_of_met"):
        value, low, high = (ratios[f"{name}_vs_without{end}"] for end in ("", "_low", "_high"))
        sys.stdout.write(f"{name}: {value:.3f} [{low:.3f}, {high:.3f}] times that without\n")

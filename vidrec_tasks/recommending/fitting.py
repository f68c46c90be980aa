"""Fitting: all models of one fit, learned from histories that were cut before they came here.

A fit either chooses its configuration on held-out events (early stopping, the blend's weights) or
is given one and spends every event on learning.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.attention import TargetAttention, attend
from vidrec_tasks.recommending.attention_training import AttentionSchedule, train_attention
from vidrec_tasks.recommending.candidates import BLOCK, Search, find_candidates
from vidrec_tasks.recommending.content import Content
from vidrec_tasks.recommending.covisitation import count_covisits
from vidrec_tasks.recommending.features import FEATURES, measure_features
from vidrec_tasks.recommending.held_out import HeldOut, hold_out, ndcg_of_ranks, rank_of_targets
from vidrec_tasks.recommending.linear import fit_linear
from vidrec_tasks.recommending.models import Configuration, Models, make_tower
from vidrec_tasks.recommending.popularity import measure_popularity
from vidrec_tasks.recommending.ranker import SCORERS, fit_blend, weights_of
from vidrec_tasks.recommending.ridge import LinearShape
from vidrec_tasks.recommending.sequences import last_videos
from vidrec_tasks.recommending.tower import TowerShape, UserTower, embed_users, embed_videos
from vidrec_tasks.recommending.tower_training import Progress, Schedule, train_tower
from vidrec_tasks.recommending.transitions import TRANSITION_L2, fit_transitions
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

MIN_HELD_OUT = 20
"""Held-out users under which nothing is chosen: the defaults are kept."""
DEFAULT_BLEND: Mapping[str, float] = {
    "dot": 1.0, "linear": 1.0, "covisitation": 1.0, "content": 2.0, "popular": 0.2,
}  # fmt: skip
"""The blend where too few held-out events could teach one (a first night)."""
DEFAULT_EPOCHS = 15


@dataclass(frozen=True)
class _Fit:
    """What every step of a fit needs."""

    content: Content
    settings: RecommendingSettings
    cut: int
    half_life_days: float


def fit_models(
    histories: Histories,
    content: Content,
    settings: RecommendingSettings,
    *,
    cut: int,
    half_life_days: float,
    configuration: Configuration | None = None,
) -> Models:
    """Fit all models.

    Args:
        histories: weighed interactions of all users; events at or after ``cut`` never pass.
        content: the videos.
        settings: sizes, limits, seed.
        cut: seconds since 1970 UTC.
        half_life_days: decay of interactions in content profiles.
        configuration: what an earlier fit chose; None: choose on held-out events.
    """
    histories = histories.before(cut)
    fit = _Fit(content, settings, cut, half_life_days)
    if configuration is not None:
        return _fit_as_told(histories, fit, configuration)
    held = hold_out(histories, seed=settings.seed)
    if len(held.targets) < MIN_HELD_OUT:
        log.info("%d users to choose on; the defaults are kept", len(held.targets))
        epochs = min(DEFAULT_EPOCHS, settings.max_epochs)
        return _fit_as_told(
            histories, fit, Configuration(epochs, 3, DEFAULT_BLEND, len(held.targets))
        )
    return _fit_and_choose(held, fit)


def _fit_as_told(histories: Histories, fit: _Fit, configuration: Configuration) -> Models:
    tower, _ = _train_tower(histories, fit, epochs=configuration.tower_epochs)
    attention = _new_attention(fit)
    schedule = AttentionSchedule(configuration.attention_epochs, 0, seed=fit.settings.seed)
    train_attention(attention, tower, histories, schedule)
    return _together(histories, fit, tower, attention, configuration)


def _fit_and_choose(held: HeldOut, fit: _Fit) -> Models:
    tower, progress = _train_tower(held.train, fit, held=held)
    attention = _new_attention(fit)
    videos, users = embed_videos(tower), embed_users(tower, held.users)

    def measure(model: TargetAttention) -> float:
        return _attention_ndcg(model, tower, videos, users, held)

    schedule = AttentionSchedule(seed=fit.settings.seed)
    attention_epochs = train_attention(attention, tower, held.train, schedule, measure=measure)
    configuration = Configuration(
        progress.best_epoch, attention_epochs, DEFAULT_BLEND, len(held.targets)
    )
    models = _together(held.train, fit, tower, attention, configuration)
    blend, centre, measured = _choose_blend(models, held, fit.settings)
    gap = _training_gap(tower, held)
    measured |= {"tower_gap": gap, "tower_loss": progress.losses[progress.best_epoch - 1]}
    log.info("held-out NDCG@10 of %d users: %s", len(held.targets), measured)
    chosen = replace(configuration, blend=blend, centre=centre, measured=measured)
    return replace(models, configuration=chosen)


def _train_tower(
    histories: Histories, fit: _Fit, *, held: HeldOut | None = None, epochs: int = 0
) -> tuple[UserTower, Progress]:
    settings = fit.settings
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        known = np.zeros(fit.content.n_videos, dtype=bool)
        known[histories.video_nums[histories.weights > 0]] = True
        shape = TowerShape(dim=settings.dim, length=settings.max_sequence)
        tower = make_tower(fit.content, known, shape)
    schedule = Schedule(
        max_epochs=epochs or settings.max_epochs,
        patience=settings.patience if held is not None else 0,
        full_softmax_limit=settings.full_softmax_limit,
        seed=settings.seed,
    )
    measure = None if held is None else lambda model: _tower_ndcg(model, held)
    return tower, train_tower(tower, histories, schedule, measure=measure)


def _new_attention(fit: _Fit) -> TargetAttention:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(fit.settings.seed)
        return TargetAttention(fit.settings.dim)


def _together(
    histories: Histories,
    fit: _Fit,
    tower: UserTower,
    attention: TargetAttention,
    configuration: Configuration,
) -> Models:
    n_videos = fit.content.n_videos
    shape = LinearShape(dense_limit=fit.settings.dense_linear_limit)
    return Models(
        fit.content,
        tower,
        attention,
        fit_linear(histories, n_videos, shape),
        fit_transitions(histories, n_videos, replace(shape, l2=TRANSITION_L2)),
        count_covisits(histories, n_videos),
        measure_popularity(histories, fit.content, cut=fit.cut),
        configuration,
        fit.cut,
        fit.half_life_days,
    )


def _tower_ndcg(tower: UserTower, held: HeldOut) -> float:
    scores = embed_users(tower, held.users) @ embed_videos(tower).T
    return float(ndcg_of_ranks(rank_of_targets(scores, held)).mean())


def _attention_ndcg(
    model: TargetAttention,
    tower: UserTower,
    videos: npt.NDArray[np.float32],
    users: npt.NDArray[np.float32],
    held: HeldOut,
) -> float:
    """Over the tower's 200 best guesses a user and the target, which the rest cannot reach."""
    rows = last_videos(held.users, tower.shape.length)
    guesses = users @ videos.T
    guesses[held.users.user_nums(), held.users.video_nums] = -np.inf
    k = min(200, guesses.shape[1])
    nums = np.argpartition(-guesses, k - 1, axis=1)[:, :k].astype(np.int64)
    nums = np.concatenate([held.targets[:, None], nums], axis=1)
    scores = np.concatenate(
        [
            attend(model, users[part], rows[part], videos, nums[part]).scores
            for part in _parts(len(nums))
        ]
    )
    other = (nums != held.targets[:, None]) & np.isfinite(np.take_along_axis(guesses, nums, 1))
    ranks = 1 + ((scores >= scores[:, :1]) & other).sum(axis=1)
    return float(ndcg_of_ranks(ranks).mean())


def _choose_blend(
    models: Models, held: HeldOut, settings: RecommendingSettings
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """The blend's weights and centre, and the held-out NDCG@10 of each scorer over candidates."""
    features, places, is_real, found = _measured_candidates(models, held, settings)
    weights = fit_blend(features, places, is_real)
    blend = {name: float(w) for name, w in zip(FEATURES, weights, strict=True) if w > 0}
    usual = np.where(is_real[..., None], features, 0).sum(axis=(0, 1)) / is_real.sum()
    centre = {name: float(value) for name, value in zip(FEATURES, usual, strict=True)}
    measured = {"candidate_recall": float(found.mean())}
    for scorer in SCORERS:
        scores = np.where(is_real, features @ weights_of(scorer, blend), -np.inf)
        own = np.take_along_axis(scores, places[:, None], axis=1)
        better = scores >= own
        np.put_along_axis(better, places[:, None], False, axis=1)
        # a target that no source found cannot be listed, whatever it would have scored
        ranks = np.where(found, 1 + better.sum(axis=1), 10**6)
        measured[f"ndcg@10.{scorer}"] = float(ndcg_of_ranks(ranks).mean())
    return blend, centre, measured


def _measured_candidates(
    models: Models, held: HeldOut, settings: RecommendingSettings
) -> tuple[
    npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]
]:
    """Features of each held-out user's candidates and target, its place, and whether it was found.

    A target that no source found is added at the end, so that the blend still learns from it.
    """
    features, nums = [], []
    for first, block in held.users.blocks(BLOCK):
        allowed = np.ones((block.n_users, models.content.n_videos), dtype=bool)
        found, _ = find_candidates(Search(models), block, allowed, settings)
        target = held.targets[first : first + block.n_users, None]
        nums.append(
            np.concatenate([found, np.where((found == target).any(1)[:, None], -1, target)], 1)
        )
        features.append(measure_features(models, block, nums[-1]))
    every = np.concatenate(nums)
    is_target = every == held.targets[:, None]
    return (
        np.concatenate(features),
        is_target.argmax(axis=1),
        every >= 0,
        is_target[:, :-1].any(axis=1),
    )


def _training_gap(tower: UserTower, held: HeldOut) -> float:
    """NDCG@10 on the held-out users' last learned event minus on the held-out one: overfitting."""
    seen = hold_out(held.users, seed=0)
    return _tower_ndcg(tower, seen) - _tower_ndcg(tower, held) if len(seen.targets) else 0.0


def _parts(n: int) -> list[slice]:
    return [slice(first, first + BLOCK) for first in range(0, n, BLOCK)]

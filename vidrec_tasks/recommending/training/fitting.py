"""Fitting: all models of one fit, learned from histories that were cut before they came here.

A fit either chooses its configuration on held-out events (early stopping, the blend's weights) or
is given one and spends every event on learning.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.lately import log_shares
from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.features import ATTENTION, LATELY
from vidrec_tasks.recommending.models.attention import TargetAttention
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.lending import N_KNOWN_USERS, lend
from vidrec_tasks.recommending.models.models import Configuration, Models, make_tower
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.models.sequences import liked
from vidrec_tasks.recommending.models.tower import TowerShape, UserTower, embed_users, embed_videos
from vidrec_tasks.recommending.training.attention_training import AttentionSchedule, train_attention
from vidrec_tasks.recommending.training.choosing import USUAL, choose_scorer, left_out_by
from vidrec_tasks.recommending.training.guesses import Guesses
from vidrec_tasks.recommending.training.held_out import (
    Asked,
    HeldOut,
    hold_out,
    hold_out_later,
    last_learned,
    ndcg_of_targets,
)
from vidrec_tasks.recommending.training.held_out_lists import HeldOutLists
from vidrec_tasks.recommending.training.tower_training import Progress, Schedule, train_tower
from vidrec_tasks.recommending.training.warmth import Parent, Start, choose_start, take_over
from vidrec_tasks.settings import RecommendingSettings

log = logging.getLogger(__name__)

MIN_HELD_OUT = 20
"""Held-out users under which nothing is chosen: the defaults are kept."""
MIN_HELD_OUT_SINCE = 100
"""Held-out users since the parent's cut under which a fit starts cold."""
WARM_SHARE = 0.25
"""Passes a warm start may take, of those a cold one may."""
DEFAULT_EPOCHS = 15


@dataclass(frozen=True)
class Fitted:
    """What a fit gives.

    Attributes:
        models: what it learned.
        lists: the candidates of held-out users that it chose on; None where it chose nothing.
    """

    models: Models
    lists: HeldOutLists | None = None


@dataclass(frozen=True)
class _Fit:
    """What every step of a fit needs."""

    content: Content
    settings: RecommendingSettings
    cut: int
    half_life_days: float
    parent: Parent | None = None

    @property
    def shape(self) -> TowerShape:
        """The tower's sizes."""
        return TowerShape(dim=self.settings.dim, length=self.settings.max_sequence)


def fit_models(
    histories: Histories,
    content: Content,
    settings: RecommendingSettings,
    *,
    cut: int,
    half_life_days: float,
    configuration: Configuration | None = None,
    parent: Parent | None = None,
) -> Models:
    """The models of `fit`, whose arguments it takes."""
    return fit(
        histories, content, settings, cut=cut, half_life_days=half_life_days,
        configuration=configuration, parent=parent,
    ).models  # fmt: skip


def fit(
    histories: Histories,
    content: Content,
    settings: RecommendingSettings,
    *,
    cut: int,
    half_life_days: float,
    configuration: Configuration | None = None,
    parent: Parent | None = None,
) -> Fitted:
    """Fit all models.

    Args:
        histories: weighed interactions of all users; events at or after ``cut`` never pass.
        content: the videos.
        settings: sizes, limits, seed.
        cut: seconds since 1970 UTC.
        half_life_days: decay of interactions in content profiles.
        configuration: what an earlier fit chose; None: choose on held-out events, then learn from
            all of them too where they lie after one moment.
        parent: an earlier fit of the same kind, which the tower may start from.
    """
    histories = histories.before(cut).newest(settings.max_history)
    told = _Fit(content, settings, cut, half_life_days, parent)
    if configuration is not None:
        return Fitted(_fit_as_told(histories, told, configuration))
    start = choose_start(parent, told.shape, cut=cut)
    # What a parent learned from cannot be chosen on.
    since = parent.cut if parent is not None and start != "cold" else None
    held = _hold_out(histories, told, since)
    if since is not None and len(held.asked.targets) < MIN_HELD_OUT_SINCE:
        log.info("%d users since the last fit are too few to choose on", len(held.asked.targets))
        start, held = "cold", _hold_out(histories, told, None)
    if len(held.asked.targets) < MIN_HELD_OUT:
        log.info("%d users to choose on; the defaults are kept", len(held.asked.targets))
        usual = Configuration(
            min(DEFAULT_EPOCHS, settings.max_epochs), 0, len(held.asked.targets),
            scorer=USUAL if settings.scorer == "auto" else settings.scorer,
            learned=left_out_by(settings.left_out),
        )  # fmt: skip
        return Fitted(_fit_as_told(histories, told, usual))
    chosen = _fit_and_choose(held, told, start)
    if held.asked.cut is None:
        return chosen
    # without its last days a model would not know what everybody watches at the cut
    return Fitted(_fit_as_told(histories, told, chosen.models.configuration), chosen.lists)


def _hold_out(histories: Histories, fit: _Fit, since: int | None) -> HeldOut:
    """By the protocol that is asked for; the last events where a later window has too few users."""
    settings = fit.settings
    if settings.chosen_on == "later":
        later = hold_out_later(
            histories, cut=fit.cut, days=settings.chosen_on_days, seed=settings.seed, since=since,
            published_at_s=fit.content.published_at_s,
        )  # fmt: skip
        if later is not None and len(later.asked.targets) >= MIN_HELD_OUT:
            return later
    return hold_out(histories, seed=settings.seed, since=since)


def _fit_as_told(histories: Histories, fit: _Fit, configuration: Configuration) -> Models:
    is_warm = configuration.is_warm and fit.parent is not None
    epochs = configuration.tower_epochs
    if configuration.is_warm and not is_warm:  # its passes count from weights that are gone
        epochs = min(DEFAULT_EPOCHS, fit.settings.max_epochs)
    knows_time = configuration.knows_time
    tower, _ = _train_tower(histories, fit, epochs=epochs, is_warm=is_warm, knows_time=knows_time)
    attention = _new_attention(fit)
    schedule = AttentionSchedule(configuration.attention_epochs, 0, seed=fit.settings.seed)
    train_attention(attention, tower, histories, schedule, knows_time=knows_time)
    told = replace(configuration, tower_epochs=epochs, is_warm=is_warm)
    return _together(histories, fit, tower, attention, told)


def _fit_and_choose(held: HeldOut, fit: _Fit, start: Start) -> Fitted:
    knows_time = held.asked.cut is not None and LATELY not in fit.settings.left_out
    warmths = {"cold": (False,), "warm": (True,), "both": (False, True)}[start]
    tried = {
        is_warm: _train_tower(
            held.train, fit, asked=held.asked, is_warm=is_warm, knows_time=knows_time
        )
        for is_warm in warmths
    }
    best = {is_warm: max(progress.scores) for is_warm, (_, progress) in tried.items()}
    is_warm = max(best, key=lambda warm: (best[warm], warm))  # equally good: the cheaper
    tower, progress = tried[is_warm]
    attention, attention_epochs = _new_attention(fit), 0
    if ATTENTION not in fit.settings.left_out:
        lately = _lately(held.asked, fit.content.n_videos, knows_time=knows_time)
        attention_epochs = train_attention(
            attention, tower, held.train, AttentionSchedule(seed=fit.settings.seed),
            measure=Guesses.of(tower, held.asked, lately).ndcg, knows_time=knows_time,
        )  # fmt: skip
    configuration = Configuration(
        progress.best_epoch, attention_epochs, len(held.asked.targets), knows_time=knows_time,
        is_warm=is_warm, nights_since_compared=_nights_since_compared(fit.parent, start),
    )  # fmt: skip
    models = _together(held.train, fit, tower, attention, configuration)
    chosen = choose_scorer(models, held, fit.settings)
    measured = {
        **chosen.measured,
        "tower_gap": _training_gap(tower, held.asked),
        "tower_loss": progress.losses[progress.best_epoch - 1],
        **{f"tower_{'warm' if warm else 'cold'}": score for warm, score in best.items()},
    }
    log.info("held-out NDCG@10 of %d users: %s", len(held.asked.targets), measured)
    told = replace(configuration, learned=chosen.learned, scorer=chosen.scorer, measured=measured)
    return Fitted(replace(models, configuration=told), chosen.lists)


def _nights_since_compared(parent: Parent | None, start: Start) -> int | None:
    if start == "both":
        return 0
    before = None if parent is None else parent.configuration.nights_since_compared
    return None if before is None else before + 1


def _train_tower(
    histories: Histories,
    fit: _Fit,
    *,
    asked: Asked | None = None,
    epochs: int = 0,
    is_warm: bool = False,
    knows_time: bool = False,
) -> tuple[UserTower, Progress]:
    settings = fit.settings
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        tower = make_tower(fit.content, _has_own(histories, fit), fit.shape)
    schedule = Schedule(
        max_epochs=epochs or settings.max_epochs,
        patience=settings.patience if asked is not None else 0,
        full_softmax_limit=settings.full_softmax_limit,
        seed=settings.seed,
    )
    if is_warm and fit.parent is not None:
        take_over(tower, fit.content, fit.parent)
        schedule = replace(
            schedule,
            max_epochs=epochs or max(2, round(WARM_SHARE * settings.max_epochs)),
            learning_rate=schedule.learning_rate / 2,
        )
    lately = _lately(asked, fit.content.n_videos, knows_time=knows_time)
    measure = None if asked is None else lambda model: _tower_ndcg(model, asked, lately)
    return tower, train_tower(tower, histories, schedule, measure=measure, knows_time=knows_time)


def _has_own(histories: Histories, fit: _Fit) -> npt.NDArray[np.bool_]:
    """``(n_videos,)`` which videos have an id embedding of their own beside their content.

    Of a small catalogue all that anybody liked; of a large one those that `N_KNOWN_USERS` liked:
    its tail is long, and an embedding of one event is noise.
    """
    liked_nums = histories.video_nums[histories.weights > 0]
    counts = np.bincount(liked_nums, minlength=fit.content.n_videos)
    is_large = int((counts > 0).sum()) > fit.settings.full_softmax_limit
    return np.asarray(counts >= (N_KNOWN_USERS if is_large else 1))


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
    popularity = measure_popularity(histories, fit.content, cut=fit.cut)
    return Models(
        fit.content,
        tower,
        attention,
        {model.name: model.fit(histories, n_videos, shape) for model in ITEM_MODELS},
        lend(fit.content.fused, popularity.n_users),
        popularity,
        configuration,
        fit.cut,
        fit.half_life_days,
    )


def _lately(
    asked: Asked | None, n_videos: int, *, knows_time: bool
) -> npt.NDArray[np.float32] | float:
    if not knows_time or asked is None or asked.cut is None:
        return 0.0
    return log_shares(liked(asked.everybody), n_videos, cut=asked.cut)


def _tower_ndcg(tower: UserTower, asked: Asked, lately: npt.NDArray[np.float32] | float) -> float:
    videos = embed_videos(tower)
    users = embed_users(tower, asked.users, videos)
    found = [
        ndcg_of_targets(users[part] @ videos.T + lately, some)
        for part, some in asked.blocks(len(videos))
    ]
    return float(np.concatenate(found).mean())


def _training_gap(tower: UserTower, asked: Asked) -> float:
    """NDCG@10 on the held-out users' last learned event minus on the held-out one: overfitting."""
    seen = last_learned(asked, seed=0)
    return _tower_ndcg(tower, seen, 0.0) - _tower_ndcg(tower, asked, 0.0) if seen.targets else 0.0

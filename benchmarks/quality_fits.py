"""The fits of `benchmarks.quality`: settings and choice by the protocol of the test."""

from typing import Final

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import RecommendingSettings

HALF_LIFE_DAYS: Final = 3_650.0
"""Ratings of twenty years: a decay of 30 days would forget nearly all of them."""


def settings_of(seed: int, window_s: int) -> RecommendingSettings:
    """The defaults, with candidates for lists twice as deep, chosen by the protocol of the test.

    Where the test is a window of time, a window of its length before the cut chooses; else the last
    events do.
    """
    return RecommendingSettings(
        chosen_on="later" if window_s else "last", chosen_on_days=max(window_s, 1) / 86_400,
        seed=seed, n_candidates=400, n_per_source=200,
    )  # fmt: skip


def fit_chosen(train: Histories, content: Content, settings: RecommendingSettings) -> Models:
    """A fit that chooses, and where it did so on last events, one that repeats the choice."""
    cut = int(train.event_at.max()) + 1
    models = fit_models(train, content, settings, cut=cut, half_life_days=HALF_LIFE_DAYS)
    if settings.chosen_on == "later":  # the fit has learned from what it chose on
        return models
    return fit_models(
        train, content, settings, cut=cut, half_life_days=HALF_LIFE_DAYS,
        configuration=models.configuration,
    )  # fmt: skip

"""Seconds: each model's own, added up for whoever counts, and for nobody else."""

import numpy as np
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.models.seconds import counting, taking
from vidrec_tasks.recommending.training.choosing import LEARNING
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.recommending.training.held_out import hold_out
from vidrec_tasks.recommending.training.overfitting import measure_gaps
from vidrec_tasks.settings import RecommendingSettings

SETTINGS = RecommendingSettings(
    n=5, dim=16, max_epochs=2, max_sequence=8, n_candidates=20, chosen_on="last"
)


def fit(histories: Histories) -> Models:
    return fit_models(histories, worlds.content(), SETTINGS, cut=worlds.CUT, half_life_days=30)


@taking("decorated")
def nothing() -> None:
    pass


def test_seconds_of_one_name_add_up_while_somebody_counts() -> None:
    with taking("before"):
        pass
    with counting() as seconds:
        for _ in range(2):
            with taking("inside"):
                nothing()
    with taking("after"):
        pass
    assert set(seconds) == {"decorated", "inside"}
    assert seconds["inside"] >= seconds["decorated"] >= 0


def test_what_fails_has_taken_its_seconds_too() -> None:
    def fail() -> None:
        with taking("failed"):
            raise ValueError("no")

    with counting() as seconds, pytest.raises(ValueError, match="no"):
        fail()
    assert set(seconds) == {"failed"}


@pytest.mark.parametrize("model", ITEM_MODELS, ids=lambda model: model.name)
def test_every_item_model_is_counted(model: object) -> None:
    with counting() as seconds:
        model.fit(worlds.histories(), worlds.N_VIDEOS, LinearShape())  # type: ignore[attr-defined]
    assert set(seconds) == {model.name}  # type: ignore[attr-defined]


def test_a_fit_counts_every_model_and_says_how_much_each_has_overfitted() -> None:
    with counting() as seconds:
        models = fit(worlds.histories())
    learning = {scorer.name for scorer in LEARNING}
    fitted = {model.name for model in ITEM_MODELS} | {"tower", "attention"} | learning
    assert set(seconds) >= fitted
    gaps = {name for name in models.configuration.measured if name.startswith("gap.")}
    models_of = {model.name for model in ITEM_MODELS} | {"attention"} | learning
    assert gaps == {f"gap.{name}" for name in models_of}


def test_where_there_is_nothing_to_learn_a_model_knows_its_own_events_by_heart() -> None:
    log = worlds.interactions(n_watched=10)
    rng = np.random.default_rng(0)
    log["video_num"] = rng.integers(0, worlds.N_VIDEOS, len(log))  # no taste is left
    histories = gather(log.drop_duplicates(["user_id", "video_num"]))
    held = hold_out(histories, seed=1)
    gaps = measure_gaps(fit(held.train), held, SETTINGS)
    assert gaps["gap.linear"] > 0.05
    assert gaps == measure_gaps(fit(held.train), held, SETTINGS)  # the same for a seed

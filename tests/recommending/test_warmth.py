"""Warmth: a tower takes over what it can, and a fit follows what was last found to be better."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.recommending import worlds
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.recommending.models.models import Configuration, Models, make_tower
from vidrec_tasks.recommending.models.tower import TowerShape, embed_videos
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.recommending.training.held_out import hold_out
from vidrec_tasks.recommending.training.warmth import (
    COMPARED_EVERY,
    Parent,
    choose_start,
    take_over,
)
from vidrec_tasks.settings import RecommendingSettings

SHAPE = TowerShape(dim=8, length=6)
SETTINGS = RecommendingSettings(dim=8, max_sequence=6, max_epochs=8, n_candidates=20)
COLD = Configuration(5, 2, 30)


def fit(cut: int = worlds.CUT, **more: object) -> Models:
    options = {"cut": cut, "half_life_days": 30.0, **more}
    return fit_models(worlds.histories(), worlds.content(), SETTINGS, **options)  # type: ignore[arg-type]


def parent_of(models: Models, **changed: object) -> Parent:
    parts = models.to_parts()
    found = Parent.from_parts(Parts("models.serving", parts.__getitem__), models.content.video_ids)
    return replace(found, **changed)


@pytest.fixture(scope="module")
def earlier() -> Models:
    return fit(worlds.CUT - 86_400, configuration=COLD)


def test_a_tower_takes_over_ids_by_video_and_everything_else_as_it_is(earlier: Models) -> None:
    content = worlds.content()
    known = earlier.tower.is_known.numpy() > 0
    tower = make_tower(content, known, SHAPE)
    fresh = tower.ids.weight.detach().clone()
    shuffled = np.random.default_rng(3).permutation(worlds.N_VIDEOS)[:-2]
    parent = parent_of(earlier)
    state = {**parent.state, "ids.weight": parent.state["ids.weight"][shuffled]}
    take_over(tower, content, replace(parent, video_ids=parent.video_ids[shuffled], state=state))
    lost = sorted(set(range(worlds.N_VIDEOS)) - set(shuffled))
    torch.testing.assert_close(tower.ids.weight[lost], fresh[lost])
    there = sorted(shuffled)
    torch.testing.assert_close(
        embed_videos(tower)[there], earlier.tower_vectors[there], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("changed", "start"),
    [
        ({}, "both"),
        ({"shape": TowerShape(dim=16, length=6)}, "cold"),
        ({"cut": worlds.CUT}, "cold"),
        ({"configuration": replace(COLD, is_warm=True, nights_since_compared=1)}, "warm"),
        ({"configuration": replace(COLD, nights_since_compared=1)}, "cold"),
        ({"configuration": replace(COLD, nights_since_compared=COMPARED_EVERY - 1)}, "both"),
    ],
)
def test_how_a_fit_starts(earlier: Models, changed: dict[str, object], start: str) -> None:
    assert choose_start(parent_of(earlier, **changed), SHAPE, cut=worlds.CUT) == start


def test_a_tower_of_other_layers_is_no_start(earlier: Models) -> None:
    parent = parent_of(earlier)
    state = {name: weights for name, weights in parent.state.items() if "gate" not in name}
    assert choose_start(replace(parent, state=state), SHAPE, cut=worlds.CUT) == "cold"


def test_without_a_parent_a_fit_starts_cold() -> None:
    assert choose_start(None, SHAPE, cut=worlds.CUT) == "cold"


def test_only_events_that_the_parent_did_not_see_are_held_out() -> None:
    histories = worlds.histories()
    since = int(np.median(histories.event_at[histories.offsets[1:] - 1]))
    held = hold_out(histories, seed=1, since=since)
    last_kept = held.train.event_at.max()
    assert 0 < len(held.asked.targets) < worlds.N_USERS
    whole = set(zip(histories.user_nums(), histories.video_nums, histories.event_at, strict=True))
    left = set(zip(held.train.user_nums(), held.train.video_nums, held.train.event_at, strict=True))
    assert all(event_at >= since for _, _, event_at in whole - left)
    assert last_kept <= histories.event_at.max()


def test_both_starts_are_compared_and_the_better_one_is_kept(
    earlier: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.recommending.training.fitting.MIN_HELD_OUT_SINCE", 10)
    monkeypatch.setattr("vidrec_tasks.recommending.training.fitting.MIN_HELD_OUT", 10)
    parent = parent_of(earlier, cut=worlds.CUT - 6 * 3_600)
    chosen = fit(parent=parent).configuration
    measured = chosen.measured
    assert chosen.is_warm == (measured["tower_warm"] >= measured["tower_cold"])
    assert chosen.nights_since_compared == 0
    again = fit(parent=parent).configuration
    assert again == chosen


def test_a_warm_configuration_whose_parent_is_gone_is_fitted_cold() -> None:
    told = fit(configuration=replace(COLD, tower_epochs=1, is_warm=True)).configuration
    assert not told.is_warm
    assert told.tower_epochs > 1


def test_a_warm_fit_learns_on_from_its_parents_weights(earlier: Models) -> None:
    parent = parent_of(earlier)
    marked = replace(parent, state={**parent.state, "ids.weight": parent.state["ids.weight"] + 1})
    told = replace(COLD, tower_epochs=1, is_warm=True)
    assert fit(configuration=told, parent=marked).tower.ids.weight.mean() > 0.9
    assert fit(configuration=replace(COLD, tower_epochs=1)).tower.ids.weight.mean() < 0.1

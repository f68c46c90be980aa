"""Turning away: "less like this" lowers what is like it, and what many turned away, by so much."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.catalogue.popularity import measure_popularity
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.ranker import score, score_parts
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.lists.turning_away import (
    MIN_EACH,
    SIGNS,
    TURNED_AWAY,
    USUAL,
    learn,
    measure_signs,
    part_of_score,
)
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import RecommendingSettings

SETTINGS = RecommendingSettings(n=5, dim=16, max_epochs=2, max_sequence=8, n_candidates=20)
ALL = np.arange(worlds.N_VIDEOS)
IS_SPACE = np.array([worlds.taste_of(num) == 1 for num in ALL])


@pytest.fixture(scope="module")
def fitted() -> Models:
    histories, content = worlds.histories(), worlds.content()
    return fit_models(histories, content, SETTINGS, cut=worlds.CUT, half_life_days=30)


def with_events(*rows: tuple[str, int, float]) -> Histories:
    """The usual world with later events of (user, video, weight)."""
    at = worlds.NIGHT - pd.Timedelta(minutes=5)
    more = pd.DataFrame(
        [(user, video, at, weight) for user, video, weight in rows],
        columns=["user_id", "video_num", "event_at", "weight"],
    )
    return gather(pd.concat([worlds.interactions(), more], ignore_index=True))


def told(models: Models, histories: Histories, *, weight: float = 1.0, **worths: float) -> Models:
    """The models as if they knew these histories and had learned these worths."""
    learned = {TURNED_AWAY: {"weight": weight, "worths": {**USUAL, **worths}}}
    chosen = replace(models.configuration, learned={**models.configuration.learned, **learned})
    popularity = measure_popularity(histories, models.content, cut=worlds.CUT)
    return replace(models, configuration=chosen, popularity=popularity)


def parts_of(models: Models, histories: Histories, user: int) -> np.ndarray:
    block = Block(models=models, histories=histories.one(user))
    return part_of_score(block, ALL[None, :])[0]


def test_one_dislike_lowers_what_is_like_it_and_nothing_as_much(fitted: Models) -> None:
    before, after = worlds.histories(), with_events(("u00", 20, -2.0))
    models = told(fitted, after)
    fall = parts_of(models, before, 0) - parts_of(models, after, 0)
    vectors = fitted.tower_vectors / np.linalg.norm(fitted.tower_vectors, axis=1, keepdims=True)
    others = [num for num in np.argsort(-(vectors @ vectors[20])) if num % 6 != 20 % 6]
    assert fall[IS_SPACE].mean() > 3 * abs(fall[~IS_SPACE]).mean()
    assert fall[others[0]] > 0.2 > fall[others[5:]].max()  # of other creators
    assert fall.argmax() == 20


def test_a_skip_lowers_less_than_a_dislike(fitted: Models) -> None:
    skip, dislike = with_events(("u00", 20, -0.5)), with_events(("u00", 20, -2.0))
    models = told(fitted, dislike)
    assert (parts_of(models, skip, 0) > parts_of(models, dislike, 0))[IS_SPACE].all()


def test_what_a_user_likes_as_much_is_hardly_lowered(fitted: Models) -> None:
    """A dislike in the middle of what somebody loves is of that video, not of all like it."""
    lover, stranger = with_events(("u01", 20, -2.0)), with_events(("u00", 20, -2.0))
    models = told(fitted, lover, crowd=0.0, user=0.0)
    loved, strange = parts_of(models, lover, 1), parts_of(models, stranger, 0)
    assert loved[IS_SPACE].mean() > strange[IS_SPACE].mean()


def test_a_video_that_many_turned_away_is_lowered_for_everybody(fitted: Models) -> None:
    histories = with_events(*((f"u{num:02d}", 0, -1.0) for num in range(1, 40, 2)))
    part = parts_of(told(fitted, histories), histories, 0)
    assert part.argmin() == 0
    assert part[0] < -0.1


def test_other_videos_of_a_creator_turned_away_are_lowered(fitted: Models) -> None:
    histories = with_events(("u00", 12, -2.0), ("u00", 18, -2.0))
    signs = measure_signs(Block(models=fitted, histories=histories.one(0)), ALL[None, :])[0]
    creator = signs[:, SIGNS.index("creator")]
    is_same = ALL % 6 == 0
    watched_only = np.isin(ALL % 6, histories.video_nums[histories.of(0)][:-2] % 6) & ~is_same
    assert creator[is_same].min() > 0
    assert (creator[watched_only] < 0).all()


def test_where_nothing_was_turned_away_nothing_is_added(fitted: Models) -> None:
    histories = worlds.histories()
    assert (parts_of(told(fitted, histories), histories, 0) == 0).all()


def test_without_weight_or_anything_learned_nothing_is_added(fitted: Models) -> None:
    histories = with_events(("u00", 20, -2.0))
    models = told(fitted, histories, weight=0.0)
    assert (parts_of(models, histories, 0) == 0).all()
    bare = replace(models, configuration=replace(models.configuration, learned={}))
    assert (parts_of(bare, histories, 0) == 0).all()


def test_the_part_grows_with_its_weight(fitted: Models) -> None:
    histories = with_events(("u00", 20, -2.0))
    once, twice = (parts_of(told(fitted, histories, weight=w), histories, 0) for w in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once)


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_every_score_has_the_part_and_is_still_the_sum(fitted: Models, scorer: str) -> None:
    histories = with_events(("u00", 20, -2.0), ("u02", 21, -1.0))
    models, nums = told(fitted, histories), np.tile(ALL, (histories.n_users, 1))
    plain = score(told(fitted, histories, weight=0.0), histories, nums, scorer=scorer)
    parts = score_parts(models, histories, nums, scorer=scorer)
    whole = score(models, histories, nums, scorer=scorer)
    np.testing.assert_allclose(parts.values.sum(axis=-1), whole, atol=1e-9)
    own = parts.values[..., parts.names.index(TURNED_AWAY)]
    np.testing.assert_allclose(whole - plain, own, atol=1e-9)


def test_what_stands_beside_does_not_matter(fitted: Models) -> None:
    histories = with_events(("u00", 20, -2.0), ("u01", 3, -1.0))
    models, nums = told(fitted, histories), np.tile(ALL, (histories.n_users, 1))
    together = part_of_score(Block(models=models, histories=histories), nums)
    alone = np.stack([parts_of(models, histories, user) for user in range(histories.n_users)])
    np.testing.assert_allclose(together, alone, rtol=1e-9, atol=1e-12)


def test_signs_are_worth_what_later_events_say(fitted: Models) -> None:
    """Everybody turns one video away later, as many did before, and likes the others."""
    histories = with_events(*((f"u{num:02d}", 0, -1.0) for num in range(20)))
    block = Block(models=told(fitted, histories), histories=histories)
    away = np.zeros((worlds.N_USERS, 1), dtype=np.int64)
    liked = np.tile(np.array([5, 6, 17]), (worlds.N_USERS, 1))
    learned = learn(block, liked, away, weight=2.0)
    assert learned["weight"] == 2.0
    assert learned["worths"]["crowd"] > USUAL["crowd"]
    opposite = learn(block, np.repeat(away, 3, axis=1), liked, weight=2.0)
    assert opposite["worths"]["crowd"] == 0  # kept from falling below


def test_of_few_events_nothing_is_learned(fitted: Models) -> None:
    histories = with_events(("u00", 20, -2.0))
    block = Block(models=told(fitted, histories), histories=histories)
    few = np.full((worlds.N_USERS, 1), -1, dtype=np.int64)
    few[: MIN_EACH - 1] = 0
    liked = np.ones((worlds.N_USERS, 1), dtype=np.int64)
    assert learn(block, liked, few, weight=1.0)["worths"] == dict(USUAL)


def test_a_fit_that_chooses_learns_the_part(fitted: Models) -> None:
    learned = fitted.configuration.learned
    if learned:  # chosen on held-out users
        assert learned[TURNED_AWAY]["weight"] == SETTINGS.against

"""Features that the blend is made of, in the world of two tastes."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.recommending import worlds
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_passages import (
    Centre,
    passages_of,
    pool_passages,
    telling_names,
)
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.features import (
    FEATURES,
    NAMES,
    PORTRAIT,
    measure_features,
    measure_videos,
)
from vidrec_tasks.recommending.lists.profiles import portrait_profiles
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS
from vidrec_tasks.recommending.models.lending import lend
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training import choosing, examples
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.recommending.training.held_out import hold_out
from vidrec_tasks.settings import RecommendingSettings

SETTINGS = RecommendingSettings(n=5, dim=16, max_epochs=2, max_sequence=8, n_candidates=20)


@pytest.fixture(scope="module")
def models() -> Models:
    histories, content = worlds.histories(), worlds.content()
    return fit_models(histories, content, SETTINGS, cut=worlds.CUT, half_life_days=30)


def portrait_of_all(models: Models) -> np.ndarray:
    nums = np.tile(np.arange(worlds.N_VIDEOS), (worlds.N_USERS, 1))
    features = measure_features(Block(models=models, histories=worlds.histories()), nums)
    return features[..., NAMES.index(PORTRAIT)]


def test_a_topic_points_to_the_videos_that_carry_it(models: Models) -> None:
    cats, space = models.content.topic_vectors @ models.content.fused.T
    is_space = np.array([worlds.taste_of(num) for num in range(worlds.N_VIDEOS)], dtype=bool)
    assert cats[~is_space].min() > cats[is_space].max()
    assert space[is_space].min() > space[~is_space].max()


def test_a_portrait_speaks_for_the_videos_of_its_topics(models: Models) -> None:
    cosines = portrait_of_all(models)
    for user in range(worlds.N_USERS):
        own = np.array([worlds.taste_of(n) == user % 2 for n in range(worlds.N_VIDEOS)])
        assert cosines[user, own].min() > cosines[user, ~own].max()


def test_a_portrait_without_topics_speaks_for_the_liked_videos() -> None:
    histories = worlds.histories()
    content = replace(worlds.content(), topics=[[] for _ in range(worlds.N_VIDEOS)])
    models = fit_models(histories, content, SETTINGS, cut=worlds.CUT, half_life_days=30)
    cosines = portrait_of_all(models)
    for user in range(worlds.N_USERS):
        own = np.array([worlds.taste_of(n) == user % 2 for n in range(worlds.N_VIDEOS)])
        assert cosines[user, own].mean() > cosines[user, ~own].mean()


def test_the_portrait_at_a_cut_is_pooled_as_the_written_one_is(models: Models) -> None:
    """Of the same topics and titles, with the vectors of videos in place of those of words."""
    content, histories = models.content, worlds.histories()
    titles = worlds.catalogue()["title"].tolist()
    vectors = dict(zip(titles, content.fused, strict=True))
    vectors |= dict(zip(("cats", "space"), content.topic_vectors, strict=True))
    telling = telling_names(content.topics)
    pooled = pool_passages(
        [passages_of(facts, [1, 2, 3, 4], telling) for facts in named_facts(histories)],
        Centre.of(telling, titles),
        lambda texts: np.array([vectors[text] for text in texts]),
    )
    np.testing.assert_allclose(portrait_profiles(models, histories), pooled, rtol=1e-3, atol=1e-4)


def named_facts(histories: Histories) -> Iterator[list[Fact]]:
    """Users of one topic, who liked all they watched, the last of it most."""
    for user in range(histories.n_users):
        nums = histories.video_nums[histories.of(user)]
        topic = ("cats", "space")[user % 2]
        yield [
            Fact("topic", topic, n=len(nums), of=len(nums), number=1),
            *(Fact("title", f"Film {num}", number=2 + n) for n, num in enumerate(nums[-3:])),
        ]


def test_what_was_disliked_is_in_no_portrait(models: Models) -> None:
    histories = worlds.histories()
    histories.weights[:] = -1.0
    assert (portrait_profiles(models, histories) == 0).all()


def test_a_stranger_has_no_portrait(models: Models) -> None:
    assert (portrait_profiles(models, worlds.histories(user_ids=["stranger"])) == 0).all()


def test_what_the_portrait_alone_knows_is_what_it_adds(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hold_out(worlds.histories(), seed=1)
    (asked,) = held.periods
    targets = np.array([videos[0] for videos in asked.targets])

    def only_portraits_know(block: Block, nums: np.ndarray) -> np.ndarray:
        features = np.zeros((*nums.shape, len(NAMES)), dtype=np.float32)
        features[..., NAMES.index(PORTRAIT)] = nums == targets[:, None]
        return features

    monkeypatch.setattr(examples, "measure_features", only_portraits_know)
    monkeypatch.setattr(choosing, "measure_gaps", lambda *_: {})  # these ask other users
    measured = choosing.choose_scorer(models, held, SETTINGS).measured
    assert measured["portrait_gain"] == pytest.approx(measured["ndcg@10.blend"])
    assert measured["portrait_gain"] > 0.5
    assert measured["llm_lift"] > 0.5
    assert measured["llm_lift_low"] <= measured["llm_lift"] <= measured["llm_lift_high"]


def test_few_columns_score_as_all_do_to_the_last_bit(models: Models) -> None:
    histories = worlds.histories()
    n_users = models.popularity.n_users.copy()
    n_users[[3, 15]] = 0
    lent = replace(models, lent=lend(models.content.fused, n_users))
    assert lent.lent.matrix.nnz > 0
    block = Block(models=lent, histories=histories)
    for nums in (np.array([3]), np.array([0, 3, 15]), np.arange(5), np.arange(24)):
        for model in ITEM_MODELS:
            some, whole = block.item_scores(model, nums), block.item_scores(model)
            np.testing.assert_array_equal(some, whole[:, nums])


def test_only_the_features_that_are_wanted_are_measured(models: Models) -> None:
    histories = worlds.histories()
    nums = np.tile(np.array([1, 14, 3, -1]), (histories.n_users, 1))
    block = Block(models=models, histories=histories)
    whole = measure_features(block, nums)
    for wanted in (["linear"], ["dot", "content"], ["attention", "fresh", "transitions"], []):
        some = measure_features(block, nums, wanted=wanted)
        is_wanted = np.isin(NAMES, wanted)
        np.testing.assert_array_equal(some[:, :3, is_wanted], whole[:, :3, is_wanted])
        assert not some[..., ~is_wanted].any()


def test_the_same_videos_for_everybody_are_measured_as_candidates_are(models: Models) -> None:
    block = Block(models=models, histories=worlds.histories())
    nums = np.array([2, 7, 11, 20])
    together = measure_videos(block, nums)
    one_by_one = measure_features(block, np.tile(nums, (worlds.N_USERS, 1)))
    for place, feature in enumerate(FEATURES):
        if feature.of_videos is None and feature.blended:
            assert not together[..., place].any(), feature.name
        else:
            np.testing.assert_allclose(
                together[..., place], one_by_one[..., place], rtol=1e-4, atol=1e-5,
                err_msg=feature.name,
            )  # fmt: skip

"""Fitting in a world of two tastes: what is learned, that it repeats, and that it can be kept."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from safetensors.torch import load, save

from tests.recommending import worlds
from vidrec_tasks.audience.histories import gather
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import ModelError
from vidrec_tasks.recommending.lists.block import Block, Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.features import (
    FEATURES,
    NAMES,
    measure_features,
    measure_videos,
)
from vidrec_tasks.recommending.lists.ranker import rank_candidates, score_parts
from vidrec_tasks.recommending.lists.scorers.blend import fit_blend
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.attention import TargetAttention, attend
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.recommending.training.held_out import hold_out, ndcg_of_ranks, ndcg_of_targets
from vidrec_tasks.settings import RecommendingSettings

SETTINGS = RecommendingSettings(n=5, dim=16, max_epochs=12, max_sequence=8, n_candidates=20)


def fit(histories=None, cut: int = worlds.CUT, configuration=None, settings=SETTINGS) -> Models:
    return fit_models(
        worlds.histories() if histories is None else histories,
        worlds.content(),
        settings,
        cut=cut,
        half_life_days=30,
        configuration=configuration,
    )


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def allowed(n_users: int) -> Eligible:
    return Eligible.everything(n_users, worlds.N_VIDEOS)


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_every_scorer_puts_the_users_own_taste_first(models: Models, scorer: str) -> None:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer=scorer)
    top = ranked.groupby("user_id").head(3)
    right = [
        worlds.taste_of(int(video[1:])) == int(user[1:]) % 2
        for user, video in zip(top["user_id"], top["video_id"], strict=True)
    ]
    assert np.mean(right) > 0.9


def test_ranked_rows_fall_in_score_and_repeat_nothing(models: Models) -> None:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer="blend")
    assert len(ranked) == len(candidates)
    assert not ranked.duplicated(["user_id", "video_id"]).any()
    assert (ranked.groupby("user_id")["score"].diff().dropna() <= 0).all()


def test_the_same_seed_learns_the_same_weights(models: Models) -> None:
    again = fit()
    np.testing.assert_array_equal(models.video_vectors, again.video_vectors)
    assert models.configuration == again.configuration


def test_models_come_back_from_their_parts_as_they_were(models: Models) -> None:
    parts = models.to_parts()
    back = Models.from_parts(Parts("models.serving", parts.__getitem__), worlds.content())
    histories = worlds.histories()
    nums = np.tile(np.arange(worlds.N_VIDEOS), (worlds.N_USERS, 1))
    np.testing.assert_allclose(
        measure_features(Block(models=back, histories=histories), nums),
        measure_features(Block(models=models, histories=histories), nums),
        atol=1e-5,
    )
    assert back.configuration == models.configuration


def test_models_of_another_catalogue_are_refused(models: Models) -> None:
    parts = models.to_parts()
    fewer = worlds.content()
    smaller = type(fewer)(
        fewer.video_ids[:5], fewer.fused[:5], fewer.topics[:5], fewer.creator_ids[:5],
        fewer.published_at_s[:5], fewer.duration_s[:5], fewer.group_nums[:5],
    )  # fmt: skip
    with pytest.raises(ModelError, match="fitted on 24 videos, the content has 5"):
        Models.from_parts(Parts("models.serving", parts.__getitem__), smaller)


def test_a_tower_that_holds_its_ids_itself_as_in_version_01_is_read_alike(models: Models) -> None:
    parts = models.to_parts()
    weights = load(parts["tower"]) | {"ids.weight": torch.from_numpy(parts.pop("tower_ids"))}
    parts["tower"] = save(weights)
    back = Models.from_parts(Parts("models.serving", parts.__getitem__), worlds.content())
    np.testing.assert_array_equal(back.video_vectors, models.video_vectors)


def test_vectors_that_were_kept_are_taken_as_they_are(models: Models) -> None:
    parts, kept = models.to_parts(), models.video_vectors.copy()
    back = Models.from_parts(Parts("models.serving", parts.__getitem__), worlds.content(), kept)
    assert back.video_vectors is kept
    np.testing.assert_allclose(
        back.user_vectors(worlds.histories()), models.user_vectors(worlds.histories()), atol=1e-5
    )


@pytest.mark.parametrize("name", ["tower", "attention"])
def test_weights_of_another_version_are_refused(models: Models, name: str) -> None:
    weights = load(models.to_parts()[name])
    weights["of_old"] = weights.pop(next(iter(weights)))
    parts = {**models.to_parts(), name: save(weights)}
    with pytest.raises(ModelError, match=f"weights of the {name} are of another version"):
        Models.from_parts(Parts("models.serving", parts.__getitem__), worlds.content())


def test_what_is_left_out_brings_nothing_and_weighs_nothing() -> None:
    names = ("content", "linear", "attention")
    without = SETTINGS.model_copy(update={"left_out": names})
    usual, models = fit(), fit(settings=without)
    weights = {
        name: fitted.configuration.learned["blend"]["weights"]
        for name, fitted in {"usual": usual, "without": models}.items()
    }
    assert {"content", "linear"} & set(weights["usual"])
    assert not set(names) & set(weights["without"])
    assert models.attention.is_idle
    for name in ("blend", "trees"):  # a score is of what the scorer learned from
        block = Block(models=models, histories=worlds.histories())
        nums = np.tile(np.arange(worlds.N_VIDEOS), (worlds.N_USERS, 1))
        parts = score_parts(models, block.histories, nums, scorer=name)
        for left in names:
            assert left not in parts.names or not parts.values[..., parts.names.index(left)].any()
    assert not measure_features(block, nums)[..., [NAMES.index(name) for name in names]].any()
    assert not measure_videos(block, nums[0])[..., [NAMES.index(name) for name in names]].any()
    _, found = find_candidates(Search(models), worlds.histories(), allowed(worlds.N_USERS), without)
    _, more = find_candidates(Search(models), worlds.histories(), allowed(worlds.N_USERS), SETTINGS)
    assert {"content", "linear"} <= set(more["source"])
    assert not {"content", "linear"} & set(found["source"])


def test_a_name_that_cannot_be_left_out_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="such as 'contents'; there are"):
        fit(settings=SETTINGS.model_copy(update={"left_out": ("contents", "dot")}))


def test_a_fit_never_reads_past_its_cut() -> None:
    cut = worlds.CUT - 8 * 3600
    known = worlds.interactions()
    future = known.assign(
        event_at=worlds.NIGHT, video_num=(known["video_num"] + 12) % worlds.N_VIDEOS
    )
    planted = gather(pd.concat([known, future], ignore_index=True))
    np.testing.assert_array_equal(
        fit(planted, cut=cut).video_vectors, fit(gather(known), cut=cut).video_vectors
    )


def test_a_given_configuration_is_followed_and_kept(models: Models) -> None:
    told = fit(configuration=models.configuration)
    assert told.configuration == models.configuration


def test_too_few_users_to_choose_on_keep_the_defaults() -> None:
    few = worlds.histories(user_ids=[f"u{num:02d}" for num in range(6)])
    assert fit(few).configuration.n_held_out < 20
    assert fit(few).configuration.learned == {}


def test_features_have_one_name_each(models: Models) -> None:
    histories = worlds.histories()
    nums = np.zeros((worlds.N_USERS, 2), dtype=np.int64)
    assert measure_features(Block(models=models, histories=histories), nums).shape == (
        worlds.N_USERS,
        2,
        len(FEATURES),
    )


def test_a_user_without_history_gets_numbers_too(models: Models) -> None:
    nobody = worlds.histories(user_ids=["stranger"])
    nums = np.arange(worlds.N_VIDEOS)[None, :]
    features = measure_features(Block(models=models, histories=nobody), nums)
    assert np.isfinite(features).all()
    assert (features[..., NAMES.index("linear")] == 0).all()


def test_the_blend_finds_the_feature_that_tells() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 12, len(FEATURES))).astype(np.float32)
    targets = features[:, :, 2].argmax(axis=1)
    relevant = np.arange(12) == targets[:, None]
    weights = fit_blend(features, relevant, np.ones((300, 12), dtype=bool))
    assert weights.argmax() == 2
    assert (weights >= 0).all()
    assert weights[2] > 5 * np.delete(weights, 2).max()


def test_the_last_liked_video_is_held_out_and_nothing_after_it_is_learned() -> None:
    histories = worlds.histories()
    held = hold_out(histories, seed=1)
    asked = held.asked
    assert len(asked.targets) == worlds.N_USERS // 2
    assert held.train.n_events == histories.n_events - len(asked.targets)
    for num, targets in enumerate(asked.targets):
        assert targets[0] not in asked.users.video_nums[asked.users.of(num)]


def test_a_target_behind_two_better_videos_has_rank_three() -> None:
    asked = hold_out(worlds.histories(), seed=1).asked
    scores = np.zeros((len(asked.targets), worlds.N_VIDEOS), dtype=np.float32)
    for user, targets in enumerate(asked.targets):
        scores[user, targets] = 1.0
        met = asked.users.video_nums[asked.users.of(user)]
        free = np.setdiff1d(np.arange(worlds.N_VIDEOS), [*met, *targets])
        scores[user, free[:2]] = 2.0
    assert (ndcg_of_targets(scores, asked) == 0.5).all()
    np.testing.assert_allclose(ndcg_of_ranks(np.array([1, 3, 11])), [1.0, 0.5, 0.0])


def test_attention_scores_a_user_alike_in_any_company() -> None:
    torch.manual_seed(3)
    model = TargetAttention(16, n_heads=2)
    for weights in model.parameters():
        torch.nn.init.normal_(weights, std=0.5)
    rng = np.random.default_rng(3)
    videos = rng.standard_normal((90, 16)).astype(np.float32)
    rows, nums = rng.integers(-1, 90, (70, 50)), rng.integers(0, 90, (70, 40))
    whole = attend(model, rows, videos, nums)
    for n, k in ((1, 40), (2, 3), (69, 1), (33, 17)):
        some = attend(model, rows[:n], videos, nums[:n, :k])
        np.testing.assert_allclose(some, whole[:n, :k], rtol=1e-5, atol=1e-5)


def test_of_a_large_catalogue_a_hardly_known_video_stands_on_its_content_alone() -> None:
    table = worlds.interactions()
    rare = table[table["video_num"] != 5]
    some = table[table["video_num"] == 5].head(2)  # fewer users than are needed
    histories = gather(pd.concat([rare, some], ignore_index=True))
    small, large = (
        fit(histories, settings=SETTINGS.model_copy(update={"full_softmax_limit": limit}))
        for limit in (50_000, 10)
    )
    assert small.tower.is_known[5] == 1
    assert large.tower.is_known[5] == 0
    projected = large.content.fused @ large.tower.projection.weight.detach().numpy().T
    np.testing.assert_allclose(large.tower_vectors[5], projected[5], atol=1e-6)
    assert large.tower.is_known[4] == 1


def test_what_is_lent_is_kept_by_column_too_and_turned_where_an_older_fit_did_not(
    models: Models,
) -> None:
    new_video = sp.csr_matrix(([0.5, 0.25], ([3, 1], [7, 7])), shape=(worlds.N_VIDEOS,) * 2)
    lent = SparseModel(new_video.astype(np.float32))
    parts = replace(models, lent=lent).to_parts()
    older = {name: part for name, part in parts.items() if not name.startswith("lent_by_column")}
    older["info"] = {k: v for k, v in parts["info"].items() if k != "has_lent_by_column"}
    for kept in (parts, older):
        back = Models.from_parts(Parts("models.serving", kept.__getitem__), worlds.content())
        for mine, theirs in (
            (back.lent.matrix, lent.matrix), (back.lent.by_column, lent.by_column),
        ):  # fmt: skip
            assert mine.format == theirs.format
            np.testing.assert_array_equal(mine.toarray(), theirs.toarray())

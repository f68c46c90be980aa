"""Candidates: every source keeps the rules, and each brings what it stands for."""

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.features import PORTRAIT
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.reason_codes import EXPLORATION


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


class Exact:
    """An index over vectors, as the content room gives one."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def search(
        self, queries: np.ndarray, k: int, *, among: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        assert among is None
        scores = queries @ self.vectors.T
        nums = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, nums, axis=1), nums


def test_seen_videos_are_never_candidates(models: Models) -> None:
    histories = worlds.histories()
    _, table = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    seen = {
        (str(histories.user_ids[user]), f"v{num:02d}")
        for user in range(histories.n_users)
        for num in histories.video_nums[histories.of(user)]
    }
    assert seen.isdisjoint(zip(table["user_id"], table["video_id"], strict=True))


def test_forbidden_videos_are_never_candidates(models: Models) -> None:
    masks = np.ones((1, worlds.N_VIDEOS), dtype=bool)
    masks[:, [3, 17]] = False
    may = Eligible.of_masks(masks, np.zeros(worlds.N_USERS, dtype=np.int64))
    for search in (Search(models), Search(models, Exact(models.video_vectors))):
        _, table = find_candidates(search, worlds.histories(), may, SETTINGS)
        assert {"v03", "v17"}.isdisjoint(table["video_id"])
        assert len(table) > 0


def test_a_video_is_a_users_candidate_once_and_no_more_than_asked(models: Models) -> None:
    few = SETTINGS.model_copy(update={"n_candidates": 10})
    nums, table = find_candidates(Search(models), worlds.histories(), allowed(worlds.N_USERS), few)
    assert not table.duplicated(["user_id", "video_id"]).any()
    assert table.groupby("user_id").size().max() == nums.shape[1] == 10
    assert (table["source_rank"] >= 1).all()


def test_an_index_finds_what_the_exact_product_finds(models: Models) -> None:
    histories, may = worlds.histories(), allowed(worlds.N_USERS)
    exact, _ = find_candidates(Search(models), histories, may, SETTINGS)
    content = Exact(models.content.fused)
    by_index = Search(models, Exact(models.video_vectors), content)
    found, _ = find_candidates(by_index, histories, may, SETTINGS)
    np.testing.assert_array_equal(exact, found)


def test_a_portrait_brings_videos_that_read_like_it(models: Models) -> None:
    stranger = worlds.histories(user_ids=["stranger"])
    search = Search(models, text=models.content.fused)
    portrait = models.content.fused[[20]]
    _, table = find_candidates(search, stranger, allowed(1), SETTINGS, portraits=portrait)
    mine = table[table["source"] == PORTRAIT]
    assert len(mine)
    assert {worlds.taste_of(int(video[1:])) for video in mine["video_id"].head(3)} == {1}


def test_a_stranger_gets_what_is_popular_and_new_but_nothing_personal(models: Models) -> None:
    stranger = worlds.histories(user_ids=["stranger"])
    _, table = find_candidates(Search(models), stranger, allowed(1), SETTINGS)
    assert set(table["source"]) <= {
        "dot", "popular", "lately", "trending", "fresh", EXPLORATION,
    }  # fmt: skip
    assert "popular" in set(table["source"])


def test_min_score_drops_content_that_is_too_far(models: Models) -> None:
    strict = SETTINGS.model_copy(update={"min_score": 0.99})
    _, table = find_candidates(Search(models), worlds.histories(), allowed(worlds.N_USERS), strict)
    far = table[table["source"].isin(["content", "content_recent"]) & (table["score"] < 0.99)]
    assert far.empty


def test_every_source_has_a_known_name(models: Models) -> None:
    _, table = find_candidates(
        Search(models), worlds.histories(), allowed(worlds.N_USERS), SETTINGS
    )
    assert set(table["source"]) <= {source.name for source in SOURCES}

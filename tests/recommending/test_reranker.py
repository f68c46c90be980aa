"""Re-ranking: properties that hold for any scores, settings and rules."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.recommending import worlds
from vidrec_tasks.audience.histories import gather
from vidrec_tasks.measuring.lists import intra_list_diversity
from vidrec_tasks.recommending.lists.reranker import columns_of, rerank_lists
from vidrec_tasks.recommending.lists.rules import UserRules
from vidrec_tasks.settings import RecommendingSettings

N = worlds.N_VIDEOS
GROUPS = pd.DataFrame({"video_id": ["v01", "v02", "v13", "v14"], "group_id": ["a", "a", "b", "b"]})


def ranked_of(scores: list[float], *, explores: set[int] = frozenset()) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "user_id": "u",
            "video_id": [f"v{num:02d}" for num in range(len(scores))],
            "source": ["exploration" if n in explores else "dot" for n in range(len(scores))],
            "score": scores,
        }
    )
    return table.sort_values(["score", "video_id"], ascending=[False, True], ignore_index=True)


def rules_of(videos: pd.DataFrame, users: pd.DataFrame | None = None) -> UserRules:
    table = worlds.users() if users is None else users
    return UserRules(videos, table, moment=worlds.NIGHT, default_max_age_rating=18)


def met(nums: list[int]) -> object:
    frame = pd.DataFrame(
        {"user_id": "u", "video_num": nums, "event_at": worlds.NIGHT, "weight": 1.0}
    )
    return gather(frame, ["u"])


@settings(deadline=None, max_examples=60)
@given(
    scores=st.lists(st.floats(-5, 5), min_size=N, max_size=N),
    seen=st.lists(st.integers(0, N - 1), max_size=8),
    hidden=st.sets(st.integers(0, N - 1), max_size=8),
    explores=st.sets(st.integers(0, N - 1), max_size=4),
    n=st.integers(1, 12),
    diversity=st.floats(0, 1),
    cap=st.integers(1, 4),
    n_exploration=st.integers(0, 3),
    reranker=st.sampled_from(["msd", "mmr", "dpp"]),
    calibration=st.floats(0, 1),
)
def test_a_list_keeps_every_rule_under_any_setting(
    scores: list[float], seen: list[int], hidden: set[int], explores: set[int],
    n: int, diversity: float, cap: int, n_exploration: int, reranker: Any, calibration: float,
) -> None:  # fmt: skip
    status = ["gone" if num in hidden else "active" for num in range(N)]
    videos = worlds.catalogue(status=status)
    chosen = RecommendingSettings(
        n=n, diversity=diversity, max_per_creator=cap, n_exploration=n_exploration,
        reranker=reranker, calibration=calibration,
    )  # fmt: skip
    content = worlds.content(videos, GROUPS)
    lists = rerank_lists(
        ranked_of(scores, explores=explores), met(seen), content, rules_of(videos), chosen
    )
    nums = [int(video[1:]) for video in lists["video_id"]]
    assert len(nums) <= n
    assert len(nums) == len(set(nums))
    assert list(lists["rank"]) == list(range(1, len(nums) + 1))
    assert set(nums).isdisjoint(set(seen) | hidden)
    assert max((nums.count(num) for num in nums), default=0) <= 1
    creators = [content.creator_ids[num] for num in nums]
    over = {creator for creator in creators if creators.count(creator) > cap}
    for num in set(range(N)) - set(nums) - set(seen) - hidden if over else ():
        # more than the cap of one creator only where nobody else has a video left
        group = content.group_nums[num]
        is_like = group >= 0 and group in content.group_nums[[*nums, *seen]]
        assert is_like or creators.count(content.creator_ids[num]) >= cap
    groups = [content.group_nums[num] for num in nums if content.group_nums[num] >= 0]
    assert len(groups) == len(set(groups))
    assert set(groups).isdisjoint(content.group_nums[seen]) if seen else True


def test_a_calibrated_list_holds_what_the_user_watched_in_the_same_shares() -> None:
    scores = [1.0 - 0.001 * num for num in range(N - 1)] + [-1.0]  # taste 0 first, by a little
    watched = [0, 1, 12, 13]  # half of either taste
    shares = []
    for calibration in (0.0, 1.0):
        chosen = RecommendingSettings(
            n=6, diversity=0, max_per_creator=9, n_exploration=0, calibration=calibration
        )
        lists = rerank_lists(
            ranked_of(scores), met(watched), worlds.content(), rules_of(worlds.catalogue()), chosen
        )
        tastes = [worlds.taste_of(int(video[1:])) for video in lists["video_id"]]
        shares.append(float(np.mean(tastes)))
    assert shares == [0.0, 0.5]


def test_without_diversity_and_caps_the_order_is_that_of_the_scores() -> None:
    plain = RecommendingSettings(
        n=10, diversity=0, max_per_creator=99, n_exploration=0, calibration=0
    )
    scores = list(np.random.default_rng(0).normal(size=N))
    lists = rerank_lists(
        ranked_of(scores), met([]), worlds.content(), rules_of(worlds.catalogue()), plain
    )
    assert list(lists["video_id"]) == list(ranked_of(scores)["video_id"][:10])


@pytest.mark.parametrize("reranker", ["msd", "mmr", "dpp"])
def test_more_diversity_gives_lists_that_are_less_alike(reranker: Any) -> None:
    scores = [1.0 - 0.01 * num for num in range(N)]  # taste 0 first
    found = []
    for diversity in (0.0, 0.3, 0.8):
        chosen = RecommendingSettings(
            n=6, diversity=diversity, max_per_creator=9, n_exploration=0, reranker=reranker
        )
        lists = rerank_lists(
            ranked_of(scores), met([]), worlds.content(), rules_of(worlds.catalogue()), chosen
        )
        nums = np.array([[int(video[1:]) for video in lists["video_id"]]])
        found.append(float(intra_list_diversity(nums, worlds.content().fused)[0]))
    assert found[0] < found[1] <= found[2]


def test_a_place_is_kept_for_exploration() -> None:
    scores = [1.0 - 0.01 * num for num in range(N)]
    kept = RecommendingSettings(n=5, diversity=0, max_per_creator=9, n_exploration=1)
    lists = rerank_lists(
        ranked_of(scores, explores={23}), met([]), worlds.content(),
        rules_of(worlds.catalogue()), kept,
    )  # fmt: skip
    assert list(lists["video_id"]) == ["v00", "v01", "v02", "v03", "v23"]


def test_cells_of_a_sparse_matrix_are_those_that_slicing_gives() -> None:
    rng = np.random.default_rng(5)
    matrix = sparse.random_array((9, 7), density=0.4, format="csr", rng=rng)
    for n_rows, n_columns in ((6, 3), (0, 3), (6, 0), (9, 7)):
        rows, columns = rng.integers(0, 9, n_rows), rng.permutation(7)[:n_columns]
        expected = matrix.toarray()[rows][:, columns]
        np.testing.assert_array_equal(columns_of(matrix, rows, columns), expected)


def test_each_user_of_many_gets_the_list_that_they_get_alone() -> None:
    rng = np.random.default_rng(2)
    tables = [ranked_of(list(rng.normal(size=N))).assign(user_id=f"u{n}") for n in range(5)]
    frame = pd.DataFrame(
        {"user_id": ["u1", "u3"], "video_num": [1, 13], "event_at": worlds.NIGHT, "weight": 1.0}
    )
    histories = gather(frame, ["u0", "u1", "u3", "u4"])  # nothing is known of u2
    arguments = (histories, worlds.content(None, GROUPS), rules_of(worlds.catalogue()))
    together = rerank_lists(
        pd.concat(tables, ignore_index=True), *arguments, RecommendingSettings()
    )
    alone = [rerank_lists(table, *arguments, RecommendingSettings()) for table in tables]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_nobody_in_nobody_out() -> None:
    empty = ranked_of([0.0] * N).iloc[:0]
    lists = rerank_lists(
        empty, met([]), worlds.content(), rules_of(worlds.catalogue()), RecommendingSettings()
    )
    assert lists.empty
    assert "rank" in lists

"""Similar videos in a world of eight: what stands beside what, and why."""

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.recommending.beside.similar import Reach, list_similar
from vidrec_tasks.recommending.beside.similar_reasons import SIMILAR_TEMPLATES
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.likeness import Likeness
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.settings import RecommendingSettings

N = 8
# 0, 1, 2: cats (0 and 1 are the same film twice); 3, 4, 5: rockets; 6: like nothing; 7: unknown
AXES = [0, 0, 0, 1, 1, 1, 2, None]
TOPICS = [["cats"], ["cats"], ["cats"], ["rockets"], ["rockets"], [], ["sea"], []]


def unit(axis: int | None, num: int) -> np.ndarray:
    vector = np.zeros(4, dtype=np.float32)
    if axis is not None:
        vector[axis], vector[3] = 1.0, 0.1 * num
        vector /= np.linalg.norm(vector)
    return vector


def world(creators: list[str] | None = None) -> Content:
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num}" for num in range(N)],
            "creator_id": creators or [""] * N,
            "published_at": pd.Series([pd.NaT] * N, dtype="datetime64[us, UTC]"),
            "duration_s": [10.0] * N,
        }
    )
    fused = np.stack([unit(axis, num % 3) for num, axis in enumerate(AXES)])
    same = pd.DataFrame({"video_id": ["v0", "v1"], "group_id": ["g", "g"]})
    return Content.of(videos, fused, TOPICS, same)


def covisits(*pairs: tuple[int, int, float]) -> SparseModel:
    rows, columns, values = zip(*pairs, strict=True) if pairs else ((), (), ())
    return SparseModel(sp.csr_matrix((values, (rows, columns)), shape=(N, N), dtype=np.float32))


def similar(
    watched: SparseModel | None = None,
    n_users: list[float] | None = None,
    *,
    allowed: list[bool] | None = None,
    content: Content | None = None,
    n: int = 3,
    reach: Reach | None = None,
    likeness: Likeness | None = None,
    **more: Any,
) -> pd.DataFrame:
    return list_similar(
        content or world(),
        watched or covisits(),
        np.array(n_users or [0.0] * N, dtype=np.float32),
        allowed=np.array(allowed or [True] * N),
        n=n,
        settings=RecommendingSettings(**{"diversity": 0.0, **more}),
        reach=reach,
        likeness=likeness,
    )


def beside(video_id: str, table: pd.DataFrame) -> list[str]:
    return list(table.loc[table["video_id"] == video_id, "similar_video_id"])


def reason(video_id: str, other: str, table: pd.DataFrame) -> str:
    own = table[(table["video_id"] == video_id) & (table["similar_video_id"] == other)]
    return str(own["reason"].iloc[0])


def test_a_video_without_viewers_is_judged_by_its_content() -> None:
    assert set(beside("v3", similar(n=2))) == {"v4", "v5"}


def test_a_shared_topic_is_the_reason() -> None:
    assert reason("v3", "v4", similar()) == "Also about “rockets”."


def test_content_alone_is_the_reason_where_no_topic_is_shared() -> None:
    assert reason("v3", "v5", similar()) == "Similar in content."


def test_near_duplicates_are_never_beside_each_other_nor_together_beside_another() -> None:
    table = similar(n=N)
    assert "v1" not in beside("v0", table)
    for video_id in ("v2", "v3"):
        assert len({"v0", "v1"} & set(beside(video_id, table))) == 1


def test_co_watching_leads_for_a_video_that_many_watched() -> None:
    table = similar(covisits((3, 6, 0.5)), [100.0] * N)
    assert beside("v3", table)[0] == "v6"
    assert reason("v3", "v6", table) == "Watched by the same users."


def test_co_watching_counts_in_both_directions() -> None:
    assert beside("v6", similar(covisits((3, 6, 0.5)), [100.0] * N))[0] == "v3"


def test_co_watching_of_few_does_not_outweigh_content() -> None:
    table = similar(covisits((3, 6, 0.5)), [2.0] * N)
    assert beside("v3", table)[0] in {"v4", "v5"}


def test_co_watching_and_a_shared_topic_are_both_named() -> None:
    table = similar(covisits((3, 4, 0.5)), [100.0] * N)
    assert reason("v3", "v4", table) == "Watched by the same users, also about “rockets”."


def test_a_video_of_which_nothing_is_known_gets_the_popular_ones() -> None:
    table = similar(n_users=[0, 0, 0, 0, 50, 0, 20, 0])
    assert beside("v7", table)[:2] == ["v4", "v6"]
    assert reason("v7", "v4", table) == "Liked by many users."


def test_without_any_reason_none_is_made_up() -> None:
    assert set(similar()[lambda t: t["video_id"] == "v7"]["reason"]) == {
        "Another video of the catalogue."
    }


def test_words_find_what_the_embedding_does_not_know() -> None:
    texts = ["", "", "", "Apollo 11", "landing", "launch", "Apollo 11 again", ""]
    content = world()
    plain = beside("v6", similar())[0]
    assert plain != "v3"
    assert beside("v6", similar(likeness=Likeness.of(content, texts)))[0] == "v3"


def test_a_creator_fills_no_list_while_there_are_others() -> None:
    content = world(["a", "a", "a", "b", "b", "b", "c", "d"])
    table = similar(content=content, max_per_creator=1, n=3)
    creators = dict(zip(content.video_ids, content.creator_ids, strict=True))
    assert len({creators[video_id] for video_id in beside("v2", table)}) == 3


def test_one_creator_alone_still_fills_a_list() -> None:
    table = similar(content=world(["a"] * N), max_per_creator=1, n=3)
    assert len(beside("v2", table)) == 3


def test_a_list_holds_only_what_everybody_who_sees_the_video_may_see() -> None:
    videos = pd.DataFrame(
        {
            "age_rating": [0, 0, 0, 0, 16, 0, 0, 0],
            "regions": [[], [], [], [], [], ["de"], ["de", "fr"], []],
        }
    )
    table = similar(n=N, reach=Reach.of(videos))
    assert not {"v4", "v5", "v6"} & set(beside("v3", table))
    assert "v6" in beside("v5", table)
    assert "v5" not in beside("v6", table)
    assert "v3" in beside("v4", table)


def test_reasons_are_told_in_chinese() -> None:
    said = set(similar(explanation_language="zh")["reason"])
    assert "同样关于“rockets”。" in said


def test_both_languages_have_the_same_reasons() -> None:
    assert set(SIMILAR_TEMPLATES["en"]) == set(SIMILAR_TEMPLATES["zh"])


pairs = st.tuples(st.integers(0, N - 1), st.integers(0, N - 1), st.floats(0.125, 1, width=32))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(pairs, max_size=10),
    st.lists(st.integers(0, 200), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=N, max_size=N),
    st.integers(1, 9),
    st.floats(0, 1),
)
def test_lists_are_lists_whatever_was_watched(
    watched: list[tuple[int, int, float]],
    n_users: list[int],
    allowed: list[bool],
    n: int,
    diversity: float,
) -> None:
    distinct = {(row, column): value for row, column, value in watched if row != column}
    triples = [(row, column, value) for (row, column), value in distinct.items()]
    table = similar(
        covisits(*triples), [float(x) for x in n_users], allowed=allowed, n=n, diversity=diversity
    )
    may_be = {f"v{num}" for num in range(N) if allowed[num]}
    others = {"v0": {"v0", "v1"}, "v1": {"v0", "v1"}}
    with_list = {v for v in may_be if may_be - others.get(v, {v})}
    assert set(table["video_id"]) == with_list
    for video_id, own in table.groupby("video_id"):
        assert own["rank"].tolist() == list(range(1, len(own) + 1))
        assert len(own) <= n
        listed = set(own["similar_video_id"])
        assert len(listed) == len(own)
        assert listed <= may_be - others.get(str(video_id), {str(video_id)})
        assert not {"v0", "v1"} <= listed
        assert np.isfinite(own["score"]).all()
        assert (own["reason"] != "").all()


def test_blocks_change_nothing(monkeypatch: Any) -> None:
    watched, n_users = covisits((3, 6, 0.5), (0, 4, 0.2)), [5.0] * N
    whole = similar(watched, n_users)
    monkeypatch.setattr("vidrec_tasks.recommending.catalogue.likeness.CELLS", 1)
    pd.testing.assert_frame_equal(similar(watched, n_users), whole)


def many(n: int, seed: int = 3) -> tuple[Content, list[str]]:
    """A catalogue of topics with noise, a few videos without vectors, words and near-duplicates."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 12, n)
    fused = rng.normal(size=(12, 24))[topics] + 0.7 * rng.normal(size=(n, 24))
    fused[::17] = 0
    lengths = np.linalg.norm(fused, axis=1, keepdims=True)
    fused = (fused / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    words = [f"word{topic} w{rng.integers(0, 60)} w{rng.integers(0, 60)}" for topic in topics]
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num:04}" for num in range(n)],
            "creator_id": "",
            "published_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
            "duration_s": 10.0,
        }
    )
    same = pd.DataFrame({"video_id": ["v0000", "v0001"], "group_id": ["g", "g"]})
    return Content.of(videos, fused, [[f"t{topic}"] for topic in topics], same), words


def lists_of(content: Content, words: list[str], *, dense_limit: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = content.n_videos
    watched = sp.random_array((n, n), density=0.005, rng=rng, dtype=np.float32).tocsr()
    return list_similar(
        content,
        SparseModel(sp.csr_matrix(watched)),
        rng.integers(0, 40, n).astype(np.float32),
        allowed=rng.random(n) < 0.9,
        n=5,
        settings=RecommendingSettings(),
        likeness=Likeness.of(content, words, dense_limit=dense_limit),
    )


def test_a_large_catalogue_gets_the_lists_that_a_small_one_gets() -> None:
    content, words = many(400)
    dense, found = (lists_of(content, words, dense_limit=limit) for limit in (1_000, 100))
    keys = ["video_id", "similar_video_id"]
    both = dense.merge(found, on=keys)
    assert set(dense["video_id"]) == set(found["video_id"])
    assert (found.groupby("video_id").size() == 5).all()
    assert len(both) >= 0.95 * len(dense)
    assert (both["score_x"] - both["score_y"]).abs().median() < 0.02


def test_pairs_are_compared_as_blocks_are() -> None:
    content, words = many(120)
    likeness = Likeness.of(content, words)
    nums = np.arange(0, 120, 7)
    others = np.tile(np.arange(120), (len(nums), 1))
    np.testing.assert_allclose(likeness.pairs(nums, others), likeness.block(nums), atol=1e-3)


def test_a_large_catalogue_holds_no_array_of_videos_times_videos() -> None:
    n, rng = 20_000, np.random.default_rng(1)
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num:05}" for num in range(n)],
            "creator_id": "",
            "published_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
            "duration_s": 10.0,
        }
    )
    fused = rng.standard_normal((n, 8), dtype=np.float32)
    fused /= np.linalg.norm(fused, axis=1, keepdims=True)
    topics = [[f"one of {num % 50}", f"one of {num * 7 % 90}"] for num in range(n)]
    cells = (np.ones(3 * n, dtype=np.float32), rng.integers(0, n, (2, 3 * n)))
    watched = SparseModel(sp.csr_matrix(cells, shape=(n, n)))
    content = Content.of(videos, fused, topics)
    allowed = np.arange(n) % 100 == 0
    tracemalloc.start()
    try:
        table = list_similar(
            content, watched, np.ones(n, dtype=np.float32), allowed=allowed, n=5,
            settings=RecommendingSettings(), likeness=Likeness.of(content, dense_limit=1_000),
        )  # fmt: skip
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(table) == 5 * allowed.sum()
    assert taken < n * n / 4, f"{taken / 2**20:.0f} MiB"  # of a mask of bytes, a quarter

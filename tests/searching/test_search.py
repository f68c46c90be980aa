"""Search in a world of five videos: what is found, by what, at which second."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.content.modalities import registry
from vidrec_tasks.content.modalities.modality import Moments
from vidrec_tasks.searching.search import SearchIndex, search
from vidrec_tasks.settings import SearchingSettings

# axes of a space that texts and frames share: cat, rocket, sea, road
CAT, ROCKET, SEA, ROAD = np.eye(4, dtype=np.float32)
NOTHING = np.zeros(4, dtype=np.float32)
FAR = np.full(4, -0.5, dtype=np.float32)

VIDEOS = pd.DataFrame(
    {
        "video_id": ["v1", "v2", "v3", "v4", "v5"],
        "title": ["A cat sleeps", "Rocket launch", "", "Waves", ""],
        "description": ["", "to the moon", "", "可爱的小猫在海边", ""],
        "tags": [["pets"], [], [], ["sea"], []],
    }
)
TEXT = np.stack([CAT, ROCKET, NOTHING, SEA, NOTHING])
FRAMES = pd.DataFrame(
    {
        "video_id": ["v3", "v3", "v1", "v1", "v2", "gone"],
        "at_s": [1.0, 7.5, 2.0, 4.0, 3.0, 9.0],
    }
)
FRAME_VECTORS = np.stack([ROAD, ROCKET, ROAD, CAT, ROAD, SEA])
EVERYTHING = np.ones(5, dtype=bool)


def index() -> SearchIndex:
    return SearchIndex.of(VIDEOS, TEXT, {"frame": Moments(FRAMES, FRAME_VECTORS)})


def ask(
    *queries: tuple[str, np.ndarray], allowed: np.ndarray = EVERYTHING, **more: Any
) -> pd.DataFrame:
    vectors = np.stack([vector for _, vector in queries]).astype(np.float32)
    texts = [text for text, _ in queries]
    chosen = SearchingSettings(**more)
    return search(index(), texts, both(vectors), settings=chosen, allowed=allowed)


def both(vectors: np.ndarray) -> dict[str, np.ndarray]:
    return {"text": vectors, "frame": vectors}


def first(text: str, vector: np.ndarray) -> tuple[str, str, float | None]:
    row = ask((text, vector)).iloc[0]
    return row["video_id"], row["matched"], None if np.isnan(row["at_s"]) else row["at_s"]


def test_text_and_frame_that_agree_are_both_named_with_the_second_of_the_frame() -> None:
    assert first("cat", CAT) == ("v1", "title+seen", 4.0)


def test_a_video_without_text_is_found_by_its_frames() -> None:
    rows = ask(("launch", ROCKET)).set_index("video_id")
    assert rows.loc["v3", ["matched", "at_s"]].tolist() == ["seen", 7.5]
    assert rows.loc["v3", "rank"] <= 2


def test_a_video_found_by_its_words_alone_has_no_second() -> None:
    assert first("waves", SEA) == ("v4", "title", None)


def test_chinese_words_are_found() -> None:
    assert first("小猫", FAR)[:2] == ("v4", "title")


def test_a_query_that_means_nothing_is_answered_but_claims_no_two_matches() -> None:
    rows = ask(("qwertz", FAR))
    assert len(rows) == 4
    assert "title+seen" not in set(rows["matched"])


def test_a_video_of_which_nothing_is_known_is_not_found() -> None:
    assert "v5" not in set(ask(("cat", CAT))["video_id"])


def test_what_the_rules_forbid_is_not_found_nor_counted() -> None:
    allowed = np.array([False, True, True, True, True])
    rows = ask(("cat", CAT), allowed=allowed)
    assert "v1" not in set(rows["video_id"])
    assert rows["rank"].tolist() == [1, 2, 3]


def test_the_few_videos_with_frames_do_not_lead_every_list() -> None:
    n = 60
    videos = pd.DataFrame(
        {
            "video_id": [f"v{num:02}" for num in range(n)],
            "title": [f"title {num}" for num in range(n)],
            "description": [""] * n,
            "tags": [[]] * n,
        }
    )
    text = np.random.default_rng(3).normal(size=(n, 16)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    frames = pd.DataFrame({"video_id": ["v00", "v01"], "at_s": [0.0, 0.0]})
    built = SearchIndex.of(videos, text, {"frame": Moments(frames, text[40:42])})
    answer = search(
        built, ["nothing alike"], both(text[30:31]),
        settings=SearchingSettings(n_results=3), allowed=np.ones(n, dtype=bool),
    )  # fmt: skip
    assert answer["video_id"].iloc[0] == "v30"
    assert not {"v00", "v01"} & set(answer["video_id"])


def test_many_queries_give_what_each_gives_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = [("cat", CAT), ("rocket", ROCKET), ("sea", SEA)]
    alone = pd.concat([ask(query) for query in queries], ignore_index=True)
    pd.testing.assert_frame_equal(ask(*queries), alone)
    monkeypatch.setattr("vidrec_tasks.searching.search._CELLS", 1)
    pd.testing.assert_frame_equal(ask(*queries), alone)


def test_no_queries_give_an_empty_table_of_the_same_types() -> None:
    empty = search(
        index(), [], both(np.zeros((0, 4))),
        settings=SearchingSettings(), allowed=EVERYTHING,
    )  # fmt: skip
    some = ask(("cat", CAT))
    assert empty.empty
    assert empty.dtypes.to_dict() == some.dtypes.to_dict()


def test_a_catalogue_without_any_frame_can_be_searched() -> None:
    none = Moments(FRAMES.iloc[:0], np.zeros((0, 9), dtype=np.float32))
    built = SearchIndex.of(VIDEOS, TEXT, {"frame": none})
    vectors = {"text": CAT[np.newaxis], "frame": np.ones((1, 9), dtype=np.float32)}
    answer = search(built, ["cat"], vectors, settings=SearchingSettings(), allowed=EVERYTHING)
    assert answer[["video_id", "matched"]].iloc[0].tolist() == ["v1", "title"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=12), st.integers(0, 4)), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.integers(1, 6),
)
def test_answers_are_lists_whatever_is_asked(
    asked: list[tuple[str, int]], allowed: list[bool], n: int
) -> None:
    vectors = np.stack([CAT, ROCKET, SEA, ROAD, NOTHING])
    queries = [(f"{num} {text}", vectors[axis]) for num, (text, axis) in enumerate(asked)]
    rows = ask(*queries, allowed=np.array(allowed), n_results=n)
    may_be = set(VIDEOS["video_id"][allowed]) - {"v5"}
    for _, answer in rows.groupby("query"):
        assert answer["rank"].tolist() == list(range(1, min(n, len(may_be)) + 1))
        assert answer["video_id"].is_unique
        assert set(answer["video_id"]) <= may_be
        assert answer["score"].is_monotonic_decreasing
        assert answer["at_s"].isna().equals(answer["matched"] == "title")


def test_a_third_modality_finds_is_named_and_has_no_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PARTS, "speech", "speech")
    speech = np.stack([NOTHING, NOTHING, NOTHING, SEA, CAT])
    built = SearchIndex.of(
        VIDEOS, TEXT, {"frame": Moments(FRAMES, FRAME_VECTORS), "speech": speech}
    )
    vectors = both(np.stack([CAT, SEA])) | {"speech": np.stack([CAT, SEA])}
    rows = search(
        built, ["cat", "waves"], vectors, settings=SearchingSettings(), allowed=EVERYTHING
    ).set_index(["query", "video_id"])
    assert rows.loc[("cat", "v5"), "matched"] == "speech"
    assert np.isnan(rows.loc[("cat", "v5"), "at_s"])
    assert rows.loc[("waves", "v4"), "matched"] == "title+speech"
    assert rows.loc[("cat", "v1"), ["matched", "at_s"]].tolist() == ["title+seen", 4.0]


SAID = pd.DataFrame(
    {
        "video_id": ["v2", "v2", "v5", "gone"],
        "passage_num": [0, 1, 0, 0],
        "at_s": [12.0, 40.0, 3.0, 1.0],
        "language": "en",
        "text": [
            "the engines burn liquid methane", "the landing legs unfold",
            "he whispers about wolves", "methane",
        ],
    }
)  # fmt: skip
SAID_VECTORS = np.stack([ROCKET, ROAD, CAT, SEA])


def spoken(*queries: tuple[str, np.ndarray]) -> pd.DataFrame:
    others = {
        "frame": Moments(FRAMES, FRAME_VECTORS),
        "said": Moments(SAID, SAID_VECTORS),
        "written": np.zeros((5, 4), dtype=np.float32),
    }
    vectors = np.stack([vector for _, vector in queries]).astype(np.float32)
    return search(
        SearchIndex.of(VIDEOS, TEXT, others),
        [text for text, _ in queries],
        {**both(vectors), "said": vectors, "written": vectors},
        settings=SearchingSettings(),
        allowed=EVERYTHING,
    )


def test_words_that_are_said_are_found_at_their_second() -> None:
    row = spoken(("liquid methane", FAR)).iloc[0]
    assert (row["video_id"], row["matched"], row["at_s"]) == ("v2", "said", 12.0)
    row = spoken(("landing legs", FAR)).iloc[0]
    assert (row["video_id"], row["at_s"]) == ("v2", 40.0)


def test_a_video_of_which_only_what_is_said_is_known_is_found() -> None:
    row = spoken(("wolves", FAR)).iloc[0]
    assert (row["video_id"], row["matched"], row["at_s"]) == ("v5", "said", 3.0)


def test_what_nobody_says_is_matched_by_nothing_said() -> None:
    rows = spoken(("waves", SEA)).set_index("video_id")
    assert rows.index[0] == "v4"
    assert rows.loc["v4", "matched"] == "title"
    assert "said" not in rows.loc["v2", "matched"]  # of v5 nothing else is known


def test_a_title_is_found_as_well_as_without_anything_said() -> None:
    for query in [("cat", CAT), ("rocket", ROCKET), ("waves", SEA), ("小猫", FAR)]:
        assert spoken(query).iloc[0]["video_id"] == ask(query).iloc[0]["video_id"]

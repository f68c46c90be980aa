"""The checker: it reads every sentence the writer can write, and catches every planted lie."""

import ast
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.evaluation.claim_parsing import Claim, parse_claims
from vidrec_tasks.evaluation.claims import check_explanations, claim_precision
from vidrec_tasks.recommending.explaining.explanations import explain_lists, replace_failed
from vidrec_tasks.settings import RecommendingSettings

NIGHT = date(2026, 9, 1)
TOPICS = {"v1": ["cats"], "v2": ["cats", "jazz"], "v3": ["cats"], "v4": ["jazz"], "v5": ["opera"]}


def at(day: str) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC")


VIDEOS = pd.DataFrame(
    {
        "video_id": ["v1", "v2", "v3", "v4", "v5"],
        "title": ["A cat", "Jazz cats", "More cats", "Jazz", "Opera <live>\n" + "o" * 99],
        "creator_id": ["studio", "studio", "studio", "", "other"],
        "published_at": [
            at("2026-05-01"), at("2026-05-01"), at("2026-08-29"), at("2026-09-01"), pd.NaT,
        ],
    }
)  # fmt: skip
PROFILES = pd.DataFrame(
    {"user_id": ["u1"], "topics": [[["cats", 3.0, 2], ["jazz", 1.0, 1], ["opera", -1.0, 1]]]}
)
WATCHED = pd.DataFrame(
    {
        "user_id": ["u1", "u1", "u1", "u1"],
        "video_id": ["v1", "v2", "v5", "v4"],
        "last_event_at": [at("2026-08-20"), at("2026-08-21"), at("2026-08-01"), at("2026-09-01")],
    }
)
POPULARITY = pd.DataFrame(
    {
        "video_id": ["v1", "v3", "v4"],
        "n_viewers_recent": [2, 9, 40],
        "n_likers_recent": [2, 9, 40],
        "window_days": [7, 7, 7],
    }
)


def check(lists: pd.DataFrame) -> pd.DataFrame:
    return check_explanations(
        lists, VIDEOS, TOPICS, PROFILES, WATCHED, POPULARITY, night=NIGHT, fresh_days=7.0
    )


def verdict(sentence: str, code: str, *, video_id: str = "v3", user_id: str = "u1") -> str:
    row = {
        "user_id": user_id, "rank": 1, "video_id": video_id, "reason_code": code,
        "explanation": sentence, "cited": [["v1", 0.4], ["v5", 0.2], ["v2", 0.0], ["v4", 0.1]],
    }  # fmt: skip
    return str(check(pd.DataFrame([row]))["reason"].iloc[0])


TRUE = [
    ("Because you watched “A cat”.", "because_you_watched"),
    ("Because you watched “A cat”, also about “cats”.", "because_you_watched"),
    ("因为你看过《A cat》。", "because_you_watched"),
    ("因为你看过同样关于“cats”的《A cat》。", "because_you_watched"),
    ("Because you watched “Opera ‹live› " + "o" * 65 + "…”.", "because_you_watched"),
    ("Matches your interest in “cats”: you have watched 2 videos about it.", "matches_topic"),
    ("符合你对“cats”的兴趣：你看过2 个相关视频。", "matches_topic"),
    ("By “studio”, of whom you have watched 2 videos.", "by_creator"),
    ("来自创作者“studio”：你看过其2 个视频。", "by_creator"),
    ("Popular now: watched by 9 users in the last 7 days.", "popular_now"),
    ("近期热门：最近7 天内有9 位用户看过。", "popular_now"),
    ("New: published 3 days ago.", "new_video"),
    ("新视频：3 天前发布。", "new_video"),
    ("New for you: a video you have not watched yet.", "new_for_you"),
    ("为你发现：一个你还没有看过的视频。", "new_for_you"),
]


@pytest.mark.parametrize(("sentence", "code"), TRUE)
def test_a_true_claim_is_verified(sentence: str, code: str) -> None:
    assert verdict(sentence, code) == ""


FALSE = [
    # a title that was not cited, not watched, watched only in the night, cited with no share
    ("Because you watched “More cats”.", "because_you_watched"),
    ("Because you watched “Jazz”.", "because_you_watched"),
    ("Because you watched “Jazz cats”.", "because_you_watched"),
    ("Because you watched “A dog”.", "because_you_watched"),
    ("Because you watched “A c”.", "because_you_watched"),
    ("Because you watched “…”.", "because_you_watched"),
    ("Because you watched “A dog…”.", "because_you_watched"),
    # a topic that one of the two, or both, do not have
    ("Because you watched “A cat”, also about “jazz”.", "because_you_watched"),
    ("Because you watched “A cat”, also about “opera”.", "because_you_watched"),
    ("因为你看过同样关于“jazz”的《A cat》。", "because_you_watched"),
    ("因为你看过《More cats》。", "because_you_watched"),
    # an interest or a number that is not so
    ("Matches your interest in “jazz”: you have watched 1 video about it.", "matches_topic"),
    ("Matches your interest in “opera”: you have watched 1 video about it.", "matches_topic"),
    ("Matches your interest in “cats”: you have watched 3 videos about it.", "matches_topic"),
    ("Matches your interest in “Cats”: you have watched 2 videos about it.", "matches_topic"),
    ("符合你对“cats”的兴趣：你看过1 个相关视频。", "matches_topic"),
    ("By “other”, of whom you have watched 2 videos.", "by_creator"),
    ("By “studio”, of whom you have watched 3 videos.", "by_creator"),
    ("来自创作者“studio”：你看过其1 个视频。", "by_creator"),
    ("Popular now: watched by 10 users in the last 7 days.", "popular_now"),
    ("Popular now: watched by 9 users in the last 30 days.", "popular_now"),
    ("近期热门：最近9 天内有7 位用户看过。", "popular_now"),
    ("New: published 2 days ago.", "new_video"),
    ("New: published less than a day ago.", "new_video"),
    ("新视频：4 天前发布。", "new_video"),
    # unreadable: other words, more words, hidden signs, more than one sentence
    ("You will love this.", "popular_now"),
    ("", "new_for_you"),
    ("New: published 3 days ago. Popular now: watched by 9 users in the last 7 days.", "new_video"),
    ("Because you watched “A cat”. It is about love.", "because_you_watched"),
    ("Because you watched “A <b>cat</b>”.", "because_you_watched"),
    ("Because you watched “A cat\u202e”.", "because_you_watched"),
    ("Because you watched “A\ncat”.", "because_you_watched"),
    ("Because other users watched “A cat”.", "because_you_watched"),
    ("New: published 03 days ago.", "new_video"),
    # true, but not what its reason code says
    ("New: published 3 days ago.", "popular_now"),
    ("New for you: a video you have not watched yet.", "because_you_watched"),
    ("New: published 3 days ago.", "unknown_code"),
]


@pytest.mark.parametrize(("sentence", "code"), FALSE)
def test_a_false_claim_is_caught(sentence: str, code: str) -> None:
    assert verdict(sentence, code) != ""


@pytest.mark.parametrize(
    ("video_id", "sentence", "code"),
    [
        ("v1", "New for you: a video you have not watched yet.", "new_for_you"),
        ("v1", "New: published 123 days ago.", "new_video"),
        ("v4", "New: published 0 days ago.", "new_video"),
        ("v4", "New: published less than a day ago.", "new_video"),
        ("v5", "New: published 3 days ago.", "new_video"),
        ("v1", "Popular now: watched by 2 users in the last 7 days.", "popular_now"),
        ("v5", "Popular now: watched by 0 users in the last 0 days.", "popular_now"),
        ("v4", "By “”, of whom you have watched 1 video.", "by_creator"),
    ],
)
def test_a_false_claim_about_another_video_is_caught(
    video_id: str, sentence: str, code: str
) -> None:
    assert verdict(sentence, code, video_id=video_id) != ""


@pytest.mark.parametrize(("sentence", "code"), TRUE[:9])
def test_what_is_true_of_one_user_is_false_of_a_stranger(sentence: str, code: str) -> None:
    assert verdict(sentence, code, user_id="stranger") != ""


def test_each_claim_of_a_sentence_is_counted() -> None:
    lists = explain()
    checks = check(lists.assign(explanation="Because you watched “A cat”, also about “opera”."))
    assert (checks["n_claims"].iloc[0], checks["n_true"].iloc[0]) == (3, 1)


def test_precision_is_true_claims_among_all() -> None:
    checks = pd.DataFrame({"n_claims": [3, 1], "n_true": [1, 1]})
    assert claim_precision(checks) == 0.5
    assert math.isnan(claim_precision(checks.iloc[:0]))


def test_parsing_names_each_claim() -> None:
    assert parse_claims("By “studio”, of whom you have watched 2 videos.") == [
        Claim("creator", "studio"),
        Claim("watched_by", "studio", 2),
    ]


def test_the_checker_imports_nothing_of_the_writer(root: Path) -> None:
    folder = root / "vidrec_tasks" / "evaluation"
    for path in folder.glob("claim*.py"):
        imported = [
            node.module or ""
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
        ]
        assert not any("recommending" in name or "language" in name for name in imported)


def explain(components: dict[str, float] | None = None, language: str = "en") -> pd.DataFrame:
    row: dict[str, Any] = {
        "user_id": "u1", "rank": 1, "video_id": "v3", "score": 1.0, "source": "tower",
        "score_components": components or {"dot": 1.0}, "cited": [["v1", 0.4], ["v5", 0.9]],
    }  # fmt: skip
    chosen = RecommendingSettings.model_validate({"explanation_language": language})
    return explain_lists(
        pd.DataFrame([row]), VIDEOS, TOPICS, PROFILES, WATCHED, POPULARITY, chosen, night=NIGHT
    )


def test_a_replaced_sentence_is_verified_when_checked_again() -> None:
    lied = explain().assign(explanation="Because you watched “A dog”.")
    settled, n_replaced = replace_failed(lied, check(lied), language="en")
    assert (n_replaced, check(settled)["verified"].tolist()) == (1, [True])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("component", ["dot", "content", "creator", "popular", "fresh"])
def test_what_the_writer_writes_is_verified(component: str, language: str) -> None:
    assert check(explain({component: 1.0}, language))["reason"].tolist() == [""]


titles = st.text(max_size=120)
COMPONENTS = ("dot", "content", "fresh", "popular", "creator")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 8))
    ids = [f"v{num}" for num in range(n)]
    ages = rng.integers(-2, 20, n)
    videos = pd.DataFrame(
        {
            "video_id": ids,
            "title": draw(st.lists(titles, min_size=n, max_size=n)),
            "creator_id": [["", "a", "b"][k] for k in rng.integers(0, 3, n)],
            "published_at": [at("2026-08-31T23:00") - pd.Timedelta(days=int(age)) for age in ages],
        }
    )
    topics = {v: sorted({["cats", "jazz", "islam"][k] for k in rng.integers(0, 3, 2)}) for v in ids}
    seen = [v for v in ids if rng.random() < 0.5]
    late = [at("2026-09-01") if rng.random() < 0.2 else at("2026-08-01") for _ in seen]
    watched = pd.DataFrame({"user_id": ["u1"] * len(seen), "video_id": seen})
    watched["last_event_at"] = pd.Series(late, dtype="datetime64[us, UTC]")
    popularity = pd.DataFrame(
        {
            "video_id": ids,
            "n_viewers_recent": rng.integers(0, 9, n),
            "n_likers_recent": 9,
            "window_days": [7] * n,
        }
    )
    past = {v for v, moment in zip(seen, late, strict=True) if moment < at("2026-09-01")}
    rows = [
        {
            "user_id": "u1", "rank": rank, "video_id": v, "source": "tower",
            "score_components": {name: float(rng.normal()) for name in COMPONENTS},
            "cited": [[other, float(rng.random())] for other in ids if rng.random() < 0.5],
        }
        for rank, v in enumerate((v for v in ids if v not in past), 1)
    ]  # fmt: skip
    return {
        "lists": pd.DataFrame(rows), "videos": videos, "topics": topics, "watched": watched,
        "popularity": popularity,
    }  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(worlds(), st.sampled_from(["en", "zh"]))
def test_in_any_world_every_claim_of_the_writer_is_true(
    world: dict[str, Any], language: str
) -> None:
    if world["lists"].empty:
        return
    chosen = RecommendingSettings.model_validate({"explanation_language": language})
    tables = (world["videos"], world["topics"], PROFILES, world["watched"], world["popularity"])
    explained = explain_lists(world["lists"], *tables, chosen, night=NIGHT)
    checks = check_explanations(explained, *tables, night=NIGHT, fresh_days=chosen.fresh_days)
    assert checks["reason"].tolist() == [""] * len(checks)
    assert claim_precision(checks) == 1.0

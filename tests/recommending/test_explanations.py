"""Explanations in a tiny world: which reason is given, and that none claims what does not hold."""

import re
import unicodedata
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.recommending.explaining.explanation_templates import TEMPLATES
from vidrec_tasks.recommending.explaining.explanations import explain_lists, replace_failed
from vidrec_tasks.recommending.reason_codes import REASON_CODES
from vidrec_tasks.settings import RecommendingSettings

NIGHT = date(2026, 9, 1)
TOPICS = {"v1": ["cats"], "v2": ["cats", "jazz"], "v3": ["cats"], "v4": ["islam"], "v5": []}
TITLES = {"v1": "A cat", "v2": "Jazz cats", "v3": "More cats", "v4": "Prayer", "v5": "Rocket"}


def at(day: str) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC")


def catalogue(**titles: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "video_id": list(TITLES),
            "title": list({**TITLES, **titles}.values()),
            "creator_id": ["studio", "studio", "studio", "", "other"],
            "published_at": [
                at("2026-05-01"), at("2026-05-01"), at("2026-08-29"), at("2026-05-01"), pd.NaT,
            ],
        }
    )  # fmt: skip


PROFILES = pd.DataFrame(
    {
        "user_id": ["u1", "u2"],
        "topics": [[["islam", 9.0, 3], ["cats", 3.0, 2], ["jazz", 1.0, 1]], []],
    }
)
WATCHED = pd.DataFrame(
    {
        "user_id": ["u1", "u1", "u1"],
        "video_id": ["v1", "v2", "v4"],
        "n_events": [2, 1, 1],
        "last_event_at": [at("2026-08-20"), at("2026-08-21"), at("2026-08-22")],
        "watched_share": [0.9, 0.8, 0.7],
    }
)
POPULARITY = pd.DataFrame(
    {
        "video_id": ["v1", "v3", "v5"],
        "n_viewers_recent": [2, 9, 40],
        "n_likers_recent": [2, 9, 40],
        "window_days": [7, 7, 7],
    }
)


def row(**fields: Any) -> dict[str, Any]:
    usual = {
        "user_id": "u1", "rank": 1, "video_id": "v3", "score": 0.5, "source": "tower",
        "score_components": {"attention": 0.4, "popular": 0.1},
        "cited": [["v1", 0.3], ["v2", 0.6]],
    }  # fmt: skip
    return {**usual, **fields}


def explain(
    *rows: dict[str, Any], language: str = "en", titles: dict[str, str] | None = None, **tables: Any
) -> pd.DataFrame:
    chosen = RecommendingSettings.model_validate({"explanation_language": language})
    given = {"topics": TOPICS, "profiles": PROFILES, "watched": WATCHED, "popularity": POPULARITY}
    return explain_lists(
        pd.DataFrame(list(rows)), catalogue(**(titles or {})), settings=chosen, night=NIGHT,
        **{**given, **tables},
    )  # fmt: skip


BEGINNINGS = "By |Popular|New:|Matches|Of |来自|近期|新视频|符合|喜欢|与你"
"""How a second sentence may begin."""


def sentences(text: str) -> list[str]:
    return re.split(rf"(?<=[.。]) ?(?={BEGINNINGS})", text)


def said(*rows: dict[str, Any], **more: Any) -> tuple[str, str]:
    """The reason code of the first row and its first sentence."""
    first = explain(*rows, **more).iloc[0]
    return first["reason_code"], sentences(first["explanation"])[0]


def test_the_cited_video_with_the_largest_share_is_named() -> None:
    assert said(row()) == (
        "because_you_watched",
        "Because you watched “Jazz cats”, also about “cats”.",
    )


def test_a_cited_video_that_has_nothing_to_do_with_the_listed_one_is_not_named() -> None:
    code, sentence = said(row(video_id="v5"))
    assert (code, sentence) == (
        "popular_now",
        "Popular now: watched by 40 users in the last 7 days.",
    )


def test_of_the_cited_videos_the_one_with_the_largest_share_that_makes_sense_is_named() -> None:
    cited = [["v4", 0.9], ["v1", 0.3], ["v2", 0.2]]
    assert said(row(cited=cited))[1] == "Because you watched “A cat”, also about “cats”."


def test_a_shared_creator_joins_videos_without_a_shared_topic() -> None:
    sentence = said(row(cited=[["v2", 1.0]]), topics={**TOPICS, "v3": ["dogs"]})[1]
    assert sentence == "Because you watched “Jazz cats”, also by “studio”."


@pytest.mark.parametrize(
    ("cited", "listed", "sentence"),
    [
        (
            "Pots, part 1",
            "Pots, part 2",
            "Because you watched “Pots, part 1”: this is the next part.",
        ),
        ("Pots, part 3", "Pots, part 2", "Because you watched “Pots, part 3”, of the same series."),
        ("Pots, part 1", "Pans, part 2", "Because you watched “Pots, part 1”, also by “studio”."),
        ("Pots 2019", "Pots 2020", "Because you watched “Pots 2019”, also by “studio”."),
        ("Part 1", "Part 2", "Because you watched “Part 1”, also by “studio”."),
    ],
)
def test_parts_of_a_series_are_called_so(cited: str, listed: str, sentence: str) -> None:
    titles = {"v2": cited, "v3": listed}
    topics = {**TOPICS, "v3": []}
    assert said(row(cited=[["v2", 1.0]]), titles=titles, topics=topics)[1] == sentence


def test_a_cited_video_that_was_not_watched_is_not_named() -> None:
    cited = row(user_id="u2", score_components={"dot": 1.0})
    assert said(cited)[0] == "popular_now"


def test_a_list_names_another_cited_video_that_weighs_as_much() -> None:
    cited = [["v1", 0.5], ["v2", 0.45]]
    explained = explain(row(cited=cited), row(rank=2, cited=cited))
    assert [evidence["cited"] for evidence in explained["evidence"]] == ["v1", "v2"]


def test_a_list_names_the_same_video_again_where_no_other_weighs_as_much() -> None:
    cited = [["v1", 0.9], ["v2", 0.1]]
    explained = explain(row(cited=cited), row(rank=2, cited=cited))
    assert [evidence["cited"] for evidence in explained["evidence"]] == ["v1", "v1"]


def test_another_list_begins_anew() -> None:
    rows = [row(cited=[["v1", 0.5], ["v2", 0.45]]), row(user_id="u2", cited=[["v1", 1.0]])]
    both = WATCHED.assign(user_id="u2")
    explained = explain(*rows, watched=pd.concat([WATCHED, both], ignore_index=True))
    assert [evidence["cited"] for evidence in explained["evidence"]] == ["v1", "v1"]


def test_a_list_varies_its_reasons_where_another_weighs_as_much() -> None:
    components = {"content": 0.5, "creator": 0.4}
    explained = explain(*(row(rank=n, score_components=components) for n in range(1, 7)))
    assert explained["reason_code"].nunique() > 1
    alone = explain(*(row(rank=n, score_components={"creator": 1.0}) for n in range(1, 4)))
    assert set(alone["reason_code"]) == {"by_creator"}


def test_the_largest_component_chooses_the_reason() -> None:
    components = {"attention": 0.1, "content": 0.3, "popular": -0.5}
    assert said(row(score_components=components)) == (
        "matches_topic",
        "Matches your interest in “cats”: you have watched 2 videos about it.",
    )


def test_a_second_sentence_adds_what_else_is_true() -> None:
    text = explain(row())["explanation"].iloc[0]
    assert text == (
        "Because you watched “Jazz cats”, also about “cats”. "
        "By “studio”, of whom you have watched 2 videos."
    )
    assert explain(row())["evidence"].iloc[0]["also"] == {
        "reason": "by_creator", "creator": "studio", "creator_id": "studio", "n_videos": 2,
    }  # fmt: skip


def test_chinese_sentences_follow_each_other_without_a_space() -> None:
    text = explain(row(), language="zh")["explanation"].iloc[0]
    assert text == "因为你看过同样关于“cats”的《Jazz cats》。来自创作者“studio”：你看过其2 个视频。"


def test_a_second_sentence_never_repeats_the_first() -> None:
    only = row(video_id="v5", score_components={"popular": 1.0}, cited=[])
    assert len(sentences(explain(only)["explanation"].iloc[0])) == 1


def test_the_evidence_names_the_component_that_spoke_for_the_reason() -> None:
    assert explain(row())["evidence"].iloc[0]["component"] == "attention"
    assert "component" not in explain(row(score_components={"popular": -1.0}))["evidence"].iloc[0]


def test_what_a_model_said_of_a_video_is_no_reason() -> None:
    moved = explain(row(score_components={"relevance": 9.0, "popular": 1.0}))
    plain = explain(row(score_components={"popular": 1.0}))
    names = ["reason_code", "explanation", "evidence"]
    assert moved[names].equals(plain[names])


def test_a_negative_component_is_no_reason_before_a_positive_one() -> None:
    assert said(row(score_components={"popular": -3.0, "creator": 0.1}))[0] == "by_creator"


@pytest.mark.parametrize(
    ("component", "sentence"),
    [
        ("creator", "By “studio”, of whom you have watched 2 videos."),
        ("popular", "Popular now: watched by 9 users in the last 7 days."),
        ("fresh", "New: published 3 days ago."),
    ],
)
def test_each_component_has_its_sentence(component: str, sentence: str) -> None:
    assert said(row(score_components={component: 1.0}))[1] == sentence


@pytest.mark.parametrize(
    ("component", "sentence"),
    [
        ("dot", "因为你看过同样关于“cats”的《Jazz cats》。"),
        ("portrait", "符合你对“cats”的兴趣：你看过2 个相关视频。"),
        ("creator", "来自创作者“studio”：你看过其2 个视频。"),
        ("trending", "近期热门：最近7 天内有9 位用户看过。"),
        ("fresh", "新视频：3 天前发布。"),
    ],
)
def test_each_component_has_its_sentence_in_chinese(component: str, sentence: str) -> None:
    assert said(row(score_components={component: 1.0}), language="zh")[1] == sentence


def test_the_exploration_slot_says_new() -> None:
    exploring = row(source="exploration", score_components={"dot": 1.0})
    assert said(exploring)[0] == "new_video"


def test_an_old_video_in_the_exploration_slot_is_new_for_the_user() -> None:
    exploring = row(source="exploration", video_id="v5", score_components={"dot": 1.0})
    assert said(exploring) == (
        "new_for_you",
        "New for you: a video you have not watched yet.",
    )


def test_a_video_with_few_viewers_is_not_popular() -> None:
    few = POPULARITY.assign(n_viewers_recent=[90, 9, 40], n_likers_recent=[90, 9, 40])
    assert said(row(score_components={"popular": 1.0}), popularity=few)[0] != "popular_now"


def test_a_sensitive_topic_is_no_reason() -> None:
    about = row(video_id="v4", score_components={"portrait": 1.0}, cited=[])
    history = WATCHED[WATCHED["video_id"] != "v4"]
    assert "islam" not in said(about, watched=history)[1]


def test_a_sensitive_shared_topic_is_not_named() -> None:
    about = row(video_id="v5", cited=[["v4", 1.0]])
    text = explain(about, topics={**TOPICS, "v5": ["islam"]})["explanation"].iloc[0]
    assert "islam" not in text
    assert "Prayer" not in text


def test_an_event_of_the_night_is_no_evidence() -> None:
    late = WATCHED.assign(last_event_at=[at("2026-08-20"), at("2026-09-01"), at("2026-08-22")])
    assert said(row(), watched=late)[1] == "Because you watched “A cat”, also about “cats”."


def test_a_video_published_in_the_night_is_not_new_yet() -> None:
    videos = catalogue().assign(published_at=at("2026-09-01"))
    explained = explain_lists(
        pd.DataFrame([row(score_components={"fresh": 1.0})]), videos, TOPICS, PROFILES, WATCHED,
        POPULARITY, RecommendingSettings(), night=NIGHT,
    )  # fmt: skip
    assert explained["reason_code"].tolist() != ["new_video"]


def test_an_input_is_not_changed() -> None:
    lists = pd.DataFrame([row()])
    before = lists.copy(deep=True)
    explain_lists(
        lists,
        catalogue(),
        TOPICS,
        PROFILES,
        WATCHED,
        POPULARITY,
        RecommendingSettings(),
        night=NIGHT,
    )
    pd.testing.assert_frame_equal(lists, before)


def test_no_list_gives_no_explanation() -> None:
    empty = explain_lists(
        pd.DataFrame([row()]).iloc[:0], catalogue(), TOPICS, PROFILES, WATCHED, POPULARITY,
        RecommendingSettings(), night=NIGHT,
    )  # fmt: skip
    assert empty.empty
    assert {"reason_code", "explanation", "evidence", "explanation_verified"} <= set(empty)


def test_nobody_has_checked_what_was_just_written() -> None:
    assert explain(row())["explanation_verified"].tolist() == [False]


def test_a_failed_sentence_is_replaced_by_the_one_that_claims_least() -> None:
    explained = explain(row(), row(rank=2))
    checks = pd.DataFrame({"user_id": ["u1", "u1"], "rank": [2, 1], "verified": [False, True]})
    settled, n_replaced = replace_failed(explained, checks, language="en")
    assert n_replaced == 1
    assert settled["explanation_verified"].tolist() == [True, False]
    assert settled["reason_code"].tolist() == ["because_you_watched", "new_for_you"]
    assert settled["evidence"].iloc[1] == {"replaced": "because_you_watched"}


def test_a_sentence_that_nobody_checked_is_replaced() -> None:
    checks = pd.DataFrame({"user_id": ["u9"], "rank": [1], "verified": [True]})
    assert replace_failed(explain(row()), checks, language="zh")[1] == 1


def test_every_reason_has_a_template_in_every_language() -> None:
    for templates in TEMPLATES.values():
        assert {template.split("+")[0] for template in templates} == set(REASON_CODES)
    assert len({frozenset(templates) for templates in TEMPLATES.values()}) == 1


names = st.sampled_from(["dot", "attention", "content", "popular", "fresh", "creator", "ease", "x"])


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(names, st.floats(-1, 1), max_size=5),
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from([*TITLES, "gone"]),
    st.lists(st.tuples(st.sampled_from([*TITLES, "gone"]), st.floats(0, 1)), max_size=4),
    st.sampled_from(["tower", "exploration"]),
    st.sampled_from(["en", "zh"]),
)
def test_no_sentence_is_without_evidence(
    components: dict[str, float],
    user_id: str,
    video_id: str,
    cited: list[tuple[str, float]],
    source: str,
    language: str,
) -> None:
    fields = {"score_components": components, "user_id": user_id, "video_id": video_id}
    explained = explain(row(**fields, cited=cited, source=source), language=language).iloc[0]
    assert explained["evidence"]
    assert explained["explanation"]
    assert explained["reason_code"] in REASON_CODES


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("title", INJECTIONS)
def test_a_hostile_title_changes_nothing_but_the_quoted_title(title: str, language: str) -> None:
    text = explain(row(), titles={"v2": title}, language=language)["explanation"].iloc[0]
    usual = explain(row(), titles={"v2": "Cats"}, language=language)["explanation"].iloc[0]
    start, end = usual.split("Cats")
    assert text.startswith(start)
    assert text.endswith(end)
    inner = text.removeprefix(start).removesuffix(end)
    assert 0 < len(inner) <= 80
    assert set(inner).isdisjoint('<>“”《》{}[]`|\\"')
    assert not any(unicodedata.category(char).startswith(("C", "Zl", "Zp")) for char in inner)


@pytest.mark.parametrize("hostile", INJECTIONS)
def test_a_hostile_topic_or_creator_acts_on_nothing(hostile: str) -> None:
    topics = {video_id: [hostile] for video_id in TITLES}
    users = pd.DataFrame({"user_id": ["u1"], "topics": [[[hostile, 9.0, 3]]]})
    rows = [row(rank=n, score_components={c: 1.0}) for n, c in enumerate(("dot", "topic", "x"), 1)]
    texts = explain(*rows, topics=topics, profiles=users)["explanation"]
    plain = {video_id: [] for video_id in TITLES}
    assert texts.tolist() == explain(*rows, topics=plain, profiles=users)["explanation"].tolist()


def test_there_are_at_least_forty_injections() -> None:
    assert len(set(INJECTIONS)) >= 40

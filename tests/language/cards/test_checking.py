"""Checking a model's card: what the sources bear out stands, a planted lie never does."""

import json
from typing import Any

import pytest

from tests.language.cards.worlds import passages, rows, sources
from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.language.cards.checking import check_answer

VIDEO = rows(
    title="Restoring a 1957 steam engine with Ada Lovelace",
    description="We repair a rusty boiler over 3.5 months. Not every bolt survives.",
    tags=["steam", "restoration"], duration_s=95.0,
)  # fmt: skip
OFFERED = ["steam", "restoration", "boiler"]


def check(*, video: dict[str, Any] = VIDEO, **answer: Any) -> tuple[dict[str, Any], dict[str, str]]:
    (own,) = sources(video, passages=passages(("v0", "speech", "This tutorial is for beginners.")))
    kept, _, dropped = check_answer(json.dumps(answer, ensure_ascii=False), own, OFFERED)
    return kept, dict(dropped)


TRUE = [
    {"summary": "A rusty steam engine is restored over 3.5 months."},
    {"summary": "How Ada Lovelace repairs a boiler."},
    {"topics": ("steam", "boiler")},
    {"topics": ("steam engine",)},
    {"format": "tutorial"},
    {"format": "short clip"},
    {"audience": "beginners"},
    {"named": ("Ada Lovelace",)},
]
LIES = [
    ("summary", "A rusty steam engine is restored over 4.5 months."),
    ("summary", "A 1958 steam engine is restored."),
    ("summary", "Restoring a steam engine with Charles Babbage."),
    ("summary", "Restoring a steam engine in Manchester."),
    ("summary", "Every bolt never survives the repair of the boiler."),
    ("summary", "A diesel engine is restored."),
    ("summary", "Restoring a Boiler with steam."),
    ("summary", "一台蒸汽机的修复。"),
    ("summary", "How this video shows it to you."),
    ("summary", "Restoring <b>steam</b> engine."),
    ("summary", "Disregard the boiler, steam engine with Ada Lovelace."),
    ("summary", "steam engine " * 30),
    ("topics", ["gardening"]),
    ("topics", ["teenagers"]),
    ("topics", ["ignore instructions"]),
    ("format", "interview"),
    ("format", "feature length"),
    ("format", "a tutorial about everything"),
    ("mood", "scary"),
    ("audience", "18 and over"),
    ("named", ["Charles Babbage"]),
    ("named", ["rusty boiler"]),
    ("named", ["Lovelac"]),
]


@pytest.mark.parametrize("answer", TRUE, ids=str)
def test_what_the_sources_bear_out_stands(answer: dict[str, Any]) -> None:
    kept, dropped = check(**json.loads(json.dumps(answer)))
    assert (kept, dropped) == (answer, {})


@pytest.mark.parametrize(("field", "lie"), LIES, ids=[f"{f}-{str(v)[:40]}" for f, v in LIES])
def test_a_planted_lie_is_dropped_with_a_reason_that_quotes_nothing(field: str, lie: Any) -> None:
    kept, dropped = check(**{field: lie})
    assert field not in kept
    assert dropped[field]
    words = lie.split() if isinstance(lie, str) else lie
    assert not any(word in dropped[field] for word in words if len(word) > 8)


def test_one_lie_leaves_the_other_fields_standing() -> None:
    kept, dropped = check(summary="A diesel engine.", topics=["steam", "cats"], mood="scary")
    assert kept == {"topics": ("steam",)}
    assert set(dropped) == {"summary", "topics", "mood"}


def test_chinese_is_checked_by_its_characters() -> None:
    video = rows(title="街头小吃的做法", description="大阪夜市的章鱼烧")
    assert check(video=video, summary="大阪的街头小吃做法")[0] == {"summary": "大阪的街头小吃做法"}
    assert "summary" in check(video=video, summary="东京的街头小吃")[1]


@pytest.mark.parametrize("answer", ["", "null", "[]", "not json", '{"summary": 7, "topics": "x"}'])
def test_what_is_no_card_gives_nothing(answer: str) -> None:
    (own,) = sources(VIDEO)
    kept, grounds, dropped = check_answer(answer, own, OFFERED)
    assert (kept, grounds) == ({}, [])
    assert bool(dropped) == (not answer.startswith("{"))


@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_a_model_that_repeats_a_hostile_text_is_not_believed(text: str) -> None:
    """The text is in every source, so each of its words is grounded; still it may not act."""
    said = passages(("v0", "captions", text), ("v0", "screen", text))
    (own,) = sources(rows(title=text, description=text, tags=[text]), passages=said)
    answer = {"summary": text, "topics": [text], "named": [text], "format": text}
    kept, _, _ = check_answer(json.dumps(answer), own, [text])
    every = str(kept)
    assert not set(every) & set("<>[]`|\\\n\r\0\u202e")
    assert "ignore" not in every.casefold()
    assert "指令" not in every

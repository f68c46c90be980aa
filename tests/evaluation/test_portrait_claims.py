"""Portrait claims: what the checker reads, and what it refuses."""

from typing import Any

import pandas as pd
import pytest

from tests.audience.portrait_worlds import busy, visit, world
from vidrec_tasks.audience.portrait_examples import EXAMPLES
from vidrec_tasks.evaluation.portrait_claims import check_portraits, check_sentence
from vidrec_tasks.evaluation.portrait_reading import Statement, Unreadable, read_statements

FACTS: list[dict[str, Any]] = [
    {"number": num, **fact}
    for num, fact in enumerate(
        [
            {"kind": "total", "n": 18}, {"kind": "topic", "name": "cats"},
            {"kind": "topic", "name": "coffee"}, {"kind": "title", "name": "About cats, the 0th"},
            {"kind": "creator", "name": "amber"}, {"kind": "away", "name": "coins"},
            {"kind": "new", "name": "rockets"}, {"kind": "less", "name": "coffee"},
            {"kind": "when", "name": "evening"}, {"kind": "length", "name": "short"},
            {"kind": "topic", "name": "rockets"},
        ],
        start=1,
    )
]  # fmt: skip
LEDGER = busy().ledger()
TRUE = [
    "This user has watched 18 videos.",
    "This user mostly enjoys nothing else.",
    "This user often watches cats (8 of 18 videos) and coffee (6).",
    "8 of 18 videos they watched are about cats.",
    "They liked “About cats, the 0th” (watched 2 times).",
    "They know “amber” from 8 videos and turn away from most videos about coins (3 of 3).",
    "They have discovered rockets since 30 August 2026 (4 of 5 videos, none of 14 before).",
    "They have watched less of coffee since 30 August 2026 (0 of 5 videos, 6 of 14 before).",
    "They tend to watch in the evening (19 of 19 times).",
    "They prefer videos under 4 minutes (18 of 18).",
    "这位用户喜欢“cats”（18 个视频中的 8 个）和“coffee”（6 个）。",
    "这位用户自2026年8月30日起开始看“rockets”（5 个视频中的 4 个，此前 14 个中没有）。",
    "这位用户多在傍晚到晚上观看（19 次中的 19 次），看过“amber”的 8 个视频。",
]
TRUE.remove("This user mostly enjoys nothing else.")


def reason(sentence: str) -> str:
    return check_sentence(sentence, FACTS, user_id="u", ledger=LEDGER).reason


@pytest.mark.parametrize("sentence", TRUE)
def test_true_sentences_are_read_and_hold(sentence: str) -> None:
    assert reason(sentence) == ""


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("This user has watched 19 videos.", "false"),
        ("This user often watches cats (7 of 18 videos).", "false"),
        ("This user often watches cats (8 of 17 videos).", "false"),
        ("This user mostly watches cats (8 of 18 videos).", "false"),
        ("This user likes coins.", "uncovered"),
        ("They liked “About cats, the 0th” (watched 3 times).", "false"),
        ("They know “amber” from 9 videos.", "false"),
        ("They turn away from most videos about coins (2 of 3).", "false"),
        ("They turn away from most videos about cats.", "uncovered"),
        ("They have discovered rockets since 8 September 2026.", "false"),
        ("They have discovered coffee since 30 August 2026.", "uncovered"),
        ("They have watched more of rockets since 30 August 2026 (3 of 5 videos, 0 of 14 before).",
         "uncovered"),
        ("They tend to watch in the morning.", "false"),
        ("They prefer videos under 1 minutes (18 of 18).", "false"),
        ("They prefer videos over 4 minutes (18 of 18).", "false"),
        ("They watch most videos to the end.", "uncovered"),
        ("This user never watches coffee.", "unreadable"),
        ("This user is a coffee barista.", "unreadable"),
        ("This user likes cats more than coffee.", "unreadable"),
        ("This user likes cats and 9 others.", "unreadable"),
        ("This user likes bobcats.", "unreadable"),
        ("This user likes videos of amber by cats.", "unreadable"),
        ("They", "unreadable"),
        ("This user and the videos.", "empty"),
        ("这位用户喜欢“cats”（18 个视频中的 9 个）。", "false"),
        ("这位用户讨厌“cats”。", "unreadable"),
        ("这位用户大多避开关于“cats”的视频（8 个中的 8 个）。", "uncovered"),
    ],
)  # fmt: skip
def test_false_and_unknown_sentences_are_refused(sentence: str, kind: str) -> None:
    assert reason(sentence).split(":")[0] == kind


PARAPHRASED = [
    ("This user has watched a total of 18 videos.", "This user has watched a total of 19 videos."),
    ("They regularly watch cats (8 out of 18 videos).",
     "They regularly watch cats (8 out of 17 videos)."),
    ("They keep coming back to cats and coffee.", "They keep coming back to coins."),
    ("This user is interested in topics such as cats, coffee and rockets.",
     "This user is interested in topics such as cats, coffee and coins."),
    ("Their interests include cats (8), coffee (6), and rockets (4).",
     "Their interests include cats (8), coffee (5), and rockets (4)."),
    ("8 out of the 18 videos they have watched are about cats.",
     "8 out of the 19 videos they have watched are about cats."),
    ("Videos this user has liked include “About cats, the 0th” (watched twice).",
     "Videos this user has liked include “About cats, the 0th” (watched once)."),
    ("They watched “About cats, the 0th” 2 times.", "They watched “About cats, the 0th” 3 times."),
    ("“About cats, the 0th” is among the videos they liked.",
     "“coins” is among the videos they liked."),
    ("They have watched eight videos by “amber”.", "They have watched seven videos by “amber”."),
    ("They are familiar with “amber” from 8 videos.",
     "They are familiar with “amber” from 18 videos."),
    ("Since 30 August 2026 they have discovered rockets (4 of 5 videos, none of 14 before).",
     "Since 30 August 2026 they have discovered rockets (4 of 5 videos, 1 of 14 before)."),
    ("Since August 30, 2026, they have taken up rockets.",
     "Since August 10, 2026, they have taken up rockets."),
    ("They have recently started watching rockets (4 of 5 videos, none of 14 before).",
     "They have recently started watching rockets (3 of 6 videos, none of 13 before)."),
    ("They have recently discovered rockets since 2026-08-30.",
     "They have recently discovered rockets since 2025-08-30."),
    ("They have watched less about coffee since 30 August 2026 (0 of 5 videos, down from 6 of 14 "
     "before).",
     "They have watched less about coffee since 30 August 2026 (0 of 5 videos, down from 5 of 14 "
     "before)."),
    ("They usually watch in the evenings (19 out of 19 times).",
     "They usually watch in the afternoons (19 out of 19 times)."),
    ("They prefer watching in the evening.", "They prefer watching at night."),
    ("They prefer short videos under 4 minutes (18 of 18).",
     "They prefer short videos under 1 minutes (18 of 18)."),
    ("They tend to watch videos shorter than four minutes.",
     "They tend to watch videos longer than four minutes."),
    ("They avoid most videos about coins (3 of 3).",
     "They avoid most videos about coins (3 of 4)."),
    ("They have turned away from all 3 videos about coins that they met.",
     "They have turned away from all 4 videos about coins that they met."),
    ("这位用户避开了关于“coins”的全部 3 个视频。", "这位用户避开了关于“coins”的全部 2 个视频。"),
    ("They rarely watch coins.", "They rarely watch coffee."),
    ("They usually skip videos about coins.", "They usually skip videos about coffee."),
    ("这位用户通常在傍晚到晚上观看（19 次中的 19 次）。",
     "这位用户通常在上午观看（19 次中的 19 次）。"),
    ("这位用户通常跳过关于“coins”的视频（3 个中的 3 个）。",
     "这位用户通常跳过关于“coins”的视频（3 个中的 2 个）。"),
]  # fmt: skip


@pytest.mark.parametrize(("true", "false"), PARAPHRASED)
def test_a_paraphrase_is_recomputed_as_the_house_wording_is(true: str, false: str) -> None:
    assert reason(true) == ""
    assert reason(false).split(":")[0] in ("false", "uncovered")


FAR: list[dict[str, Any]] = [{"number": 1, "kind": "far", "name": "whole"}]


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("They tend to finish the videos they start.", 0.95),
        ("They finish most videos (6 of 6).", 0.95),
        ("They usually watch videos to the end.", 0.95),
        ("They rarely finish videos.", 0.2),
        ("They usually leave videos before the middle (6 of 6).", 0.2),
    ],
)
def test_how_far_is_recomputed_in_every_wording(sentence: str, share: float) -> None:
    def judged(watched: float) -> str:
        videos = {f"v{num}": {"topics": ["cats"]} for num in range(6)}
        visits = [visit(f"v{num}", num + 1, watched_share=watched) for num in range(6)]
        ledger = world(videos, *visits).ledger()
        return check_sentence(sentence, FAR, user_id="u", ledger=ledger).reason

    assert judged(share) == ""
    assert judged(1.15 - share).startswith("false")
    assert judged(0.6).startswith("false") or "rarely" in sentence  # which none of them finished


@pytest.mark.parametrize(
    "sentence",
    [
        "They have turned to rockets.",  # neither its day nor its counts
        "They have lately discovered rockets.",
        "Since 30 August 2026 this user often watches cats.",
        "Since 30 August 2026 they have discovered rockets and cats.",
        "Since 30 August 2026 they have discovered rockets and watch mostly in the evening.",
        "They have discovered rockets since 30 August 2026, since 1 September 2026.",
        "They have discovered rockets since 31 February 2026.",
        "They have watched fewer videos about coffee since 30 August 2026.",
        "They turn away from most videos about coins (3 of 3) and cats.",
        "They turn away from most videos about coins and cats (8 of 18 videos).",
        "They have watched 8 videos by “amber” and cats.",
        "They have discovered rockets since 30 August 2026 and coffee.",
        "They rarely watch coins and rockets.",
        "They watch most videos.",
        "They rarely watch videos.",
        "They seldom enjoy cats.",
        "They watch cats more often than coffee.",
        "They are especially fond of cats.",
        "About half of the videos they watched are about cats.",
        "They almost always watch in the evening.",
    ],
)
def test_what_cannot_be_recomputed_stays_unreadable(sentence: str) -> None:
    assert reason(sentence).startswith("unreadable")


def test_a_half_is_not_most_however_it_is_said() -> None:
    facts = [{"number": 1, "kind": "topic", "name": "cats"}]
    videos = {f"v{num}": {"topics": ["cats"] if num < 3 else ["tea"]} for num in range(6)}

    def judged(sentence: str, n_watched: int) -> str:
        ledger = world(videos, *(visit(f"v{num}", num + 1) for num in range(n_watched))).ledger()
        return check_sentence(sentence, facts, user_id="u", ledger=ledger).reason

    for sentence in ("This user mostly watches cats.", "Most of the videos are about cats.",
                     "More than half of the 6 videos they watched are about cats."):  # fmt: skip
        assert judged(sentence, 6).startswith("false")
    assert judged("This user mostly watches cats.", 4) == ""
    assert judged("Most of the videos they watched are about cats (3 of 4).", 4) == ""
    assert judged("More than half of the 4 videos they watched are about cats.", 4) == ""
    assert judged("More than half of the 5 videos they watched are about cats.", 4) != ""


def test_the_worked_examples_are_in_forms_that_are_read() -> None:
    for language, examples in EXAMPLES.items():
        for example in examples:
            by_number = {fact.number: fact for fact in example.facts}
            for numbers, sentence in example.sentences.values():
                names = [by_number[number].name for number in numbers]
                said = read_statements(sentence, names)
                named = [name for name in names if name in sentence]
                assert {one.name for one in said} >= set(named), (language, sentence)
                assert len(said) >= len(numbers)


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\ue000", "\x07"])
def test_a_hidden_character_makes_a_sentence_unreadable(hidden: str) -> None:
    assert reason(f"This user likes cats{hidden}.").startswith("unreadable")


def test_what_no_named_fact_says_is_not_covered() -> None:
    found = check_sentence(TRUE[1], FACTS[:2], user_id="u", ledger=LEDGER)
    assert found.reason.startswith("unreadable: 'coffee'")


def test_of_another_user_everything_is_false() -> None:
    found = [check_sentence(text, FACTS, user_id="v", ledger=LEDGER).reason for text in TRUE]
    assert all(reason.startswith("false") for reason in found)


def test_each_different_thing_is_one_claim() -> None:
    text = "This user often watches cats (8 of 18 videos), coffee (5) and rockets (4)."
    found = check_sentence(text, FACTS, user_id="u", ledger=LEDGER)
    assert (found.n_claims, found.n_true) == (3, 2)


def test_the_longest_name_is_read() -> None:
    assert read_statements("This user likes cat toys.", ["cat", "cat toys"]) == [
        Statement("likes", "cat toys"),
        Statement("about", "cat toys"),
    ]
    with pytest.raises(Unreadable, match="toys"):
        read_statements("This user likes cat toys.", ["cat"])


def test_published_portraits_are_counted() -> None:
    evidence = [{**fact} for fact in FACTS]
    rows = [
        {"user_id": "u", "evidence": evidence,
         "claims": [{"text": TRUE[1], "facts": [2, 3]}, {"text": TRUE[0], "facts": [1]}]},
        {"user_id": "u", "evidence": evidence,
         "claims": [{"text": "They know “amber” from 9 videos.", "facts": [5]}]},
        {"user_id": "stranger", "evidence": [], "claims": [
            {"text": "This user has not watched any video yet, so there is nothing to say of their "
                     "taste.", "facts": []}]},
    ]  # fmt: skip
    found = check_portraits(pd.DataFrame(rows), LEDGER)
    assert found == {"n_claims": 4, "n_true": 3, "n_stating": 2, "n_shapes": 3}

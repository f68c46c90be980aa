"""Portrait claims: what the checker reads, and what it refuses."""

from typing import Any

import pandas as pd
import pytest

from tests.audience.portrait_worlds import busy
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

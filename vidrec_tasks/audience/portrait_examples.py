"""Portrait examples: worked answers about nobody, which show a model what a sentence may be.

The facts are placeholders, written for this purpose and taken from no catalogue. The answers are
worded by hand in forms that the checker reads, with several facts in a sentence.
"""

from typing import Final, NamedTuple

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact


class Example(NamedTuple):
    """Facts, and what a portrait of them could be.

    Attributes:
        facts: numbered.
        sentences: section of the answer -> numbers of the facts, and the sentence.
    """

    facts: tuple[Fact, ...]
    sentences: dict[str, tuple[list[int], str]]


_FIRST: Final = (
    Fact(kinds.TOTAL, n=24, number=1),
    Fact(kinds.TOPIC, "sundials", n=11, of=24, n_liked=9, number=2),
    Fact(kinds.TOPIC, "juggling", n=7, of=24, n_liked=5, number=3),
    Fact(kinds.TOPIC, "kites", n=4, of=24, n_liked=4, number=4),
    Fact(kinds.NEW, "kites", n=4, of=9, of_before=15, since="2026-03-02", number=5),
    Fact(kinds.TITLE, "A shadow in stone", n=2, number=6),
    Fact(kinds.TITLE, "Three balls, no hurry", n=1, number=7),
    Fact(kinds.CREATOR, "north-window", n=5, n_liked=5, number=8),
    Fact(kinds.WHEN, kinds.MORNING, n=19, of=26, number=9),
    Fact(kinds.AWAY, "origami", n=2, of=3, number=10),
)
_SECOND: Final = (
    Fact(kinds.TOTAL, n=8, number=1),
    Fact(kinds.TOPIC, "lacquer", n=5, of=8, n_liked=5, number=2),
    Fact(kinds.TOPIC, "bookbinding", n=2, of=8, n_liked=2, number=3),
    Fact(kinds.TITLE, "Nine coats of red", n=1, number=4),
    Fact(kinds.TITLE, "A drawer with a secret", n=1, number=5),
    Fact(kinds.WHEN, kinds.WEEKEND, n=7, of=9, number=6),
)

EXAMPLES: Final = {
    "en": (
        Example(
            _FIRST,
            {
                "interests": ([2, 3, 4], "This user often watches videos about sundials (11 of "
                                         "24), juggling (7) and kites (4)."),
                "changes": ([5], "They have discovered kites since 2 March 2026 (4 of 9 videos, "
                                 "none of 15 before)."),
                "habits": ([8, 10, 9], "They have watched 5 videos by “north-window”, turn away "
                                       "from most videos about origami (2 of 3) and watch mostly "
                                       "in the morning (19 of 26 times)."),
                "liked": ([6, 7], "They liked “A shadow in stone” (watched 2 times) and “Three "
                                  "balls, no hurry”."),
            },
        ),
        Example(
            _SECOND,
            {
                "interests": ([2, 3], "This user mostly watches videos about lacquer (5 of 8), "
                                      "along with bookbinding (2)."),
                "habits": ([6], "They watch mostly at weekends (7 of 9 times)."),
                "liked": ([4, 5], "They liked “Nine coats of red” and “A drawer with a secret”."),
            },
        ),
    ),
    "zh": (
        Example(
            _FIRST,
            {
                "interests": ([2, 3, 4], "这位用户经常看“sundials”（24 个视频中的 11 个）、"
                                         "“juggling”（7 个）和“kites”（4 个）。"),
                "changes": ([5], "这位用户自2026年3月2日起开始看“kites”（9 个视频中的 4 个，此前 "
                                 "15 个中没有）。"),
                "habits": ([8, 10, 9], "这位用户看过“north-window”的 5 个视频，大多避开关于"
                                       "“origami”的视频（3 个中的 2 个），多在上午观看（26 次中的 "
                                       "19 次）。"),
                "liked": ([6, 7], "喜欢的视频有《A shadow in stone》（看过 2 次）和"
                                  "《Three balls, no hurry》。"),
            },
        ),
    ),
}  # fmt: skip
"""By language; two teach a small model to leave out what no fact says."""

"""Wording: what a summary may say of an audience, its prompt, and the template that stands in.

No creator's name, no title and no count below k is among the facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from vidrec_tasks.columns import AUDIENCE_SHARE, GAP, TOPIC, TREND
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.grounding import Grounding, is_grounded
from vidrec_tasks.language.quoting import plain_topic
from vidrec_tasks.language.words import FUNCTION_WORDS, TASTE_WORDS

N_TOPICS: Final = 3
"""Topics a summary draws on."""

MIN_GAP: Final = 0.1
"""Gap from which a topic is said to be offered too little."""

MIN_TREND: Final = 0.1
"""Change of the share of viewers from which a topic is said to gain."""

UNKNOWN: Final = "This audience watches topics that have no short name."

_SYSTEM = "You repeat facts about an audience in one short sentence. Keep every topic. Add nothing."
_START = "This audience watches videos about"
_FREE_WORDS = FUNCTION_WORDS | TASTE_WORDS | {"audience"}


@dataclass(frozen=True)
class Facts:
    """What is known of one audience, as a sentence may say it.

    Attributes:
        topics: watched by most, first.
        wanted: the topic with the largest gap, '' for none.
        rising: the topic that gained most, '' for none.
    """

    topics: tuple[str, ...]
    wanted: str
    rising: str

    def more(self) -> list[str]:
        """What else holds, a sentence each."""
        rising = f"It watches more and more videos about {self.rising}."
        wanted = f"There are too few videos about {self.wanted}."
        return [*([rising] if self.rising else []), *([wanted] if self.wanted else [])]


def gather_facts(insights: pd.DataFrame) -> Facts:
    """The facts of one creator's rows; topics that no sentence may name are left out."""
    rows = insights[[plain_topic(topic) == topic for topic in insights[TOPIC]]]
    by_share = rows.sort_values([AUDIENCE_SHARE, TOPIC], ascending=[False, True])
    return Facts(
        topics=tuple(by_share[TOPIC].head(N_TOPICS)),
        wanted=_largest(rows, GAP, MIN_GAP),
        rising=_largest(rows, TREND, MIN_TREND),
    )


def check_summary(summary: str, facts: Facts) -> Grounding:
    """Whether a summary may be published.

    Its first sentence is grounded and names two of the topics, or all there are; what follows are
    sentences of the facts, as they are.
    """
    if summary == UNKNOWN:
        return Grounding(not facts.topics, "" if not facts.topics else "something is known")
    first = summary.removesuffix("".join(f" {sentence}" for sentence in facts.more()))
    n_names = min(2, len(facts.topics))
    return is_grounded(first, (), names=facts.topics, min_names=n_names, free_words=_FREE_WORDS)


def prompt_of(facts: Facts) -> Prompt:
    """What the generator is asked: the first sentence."""
    return Prompt(_SYSTEM, f"An audience watches videos about {_join(facts.topics)}.", _START)


def paragraph(first: str, facts: Facts) -> str:
    """A first sentence, and what else holds."""
    return " ".join([first, *facts.more()])


def template_summary(facts: Facts) -> str:
    """The paragraph without a model: true, and no more than the facts."""
    if not facts.topics:
        return UNKNOWN
    return paragraph(f"{_START} {_join(facts.topics)}.", facts)


def _largest(rows: pd.DataFrame, column: str, least: float) -> str:
    large = rows[rows[column] >= least].sort_values([column, TOPIC], ascending=[False, True])
    return str(large[TOPIC].iloc[0]) if len(large) else ""


def _join(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]

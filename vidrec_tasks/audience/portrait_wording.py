"""Portrait wording: the prompts a generator gets and the template that stands in for it.

Facts go in as plain sentences, because the embedded model of 135 million parameters copies a
sentence better than it reads a table (0.92 of its answers named two topics, against 0.3 to 0.6).
No title and no id ever reaches a prompt.
"""

import hashlib
from collections.abc import Sequence

from vidrec_tasks.audience.portrait_evidence import MIN_NAMES, PortraitEvidence
from vidrec_tasks.language.generator import Bounds, Prompt

PROMPT_VERSION = "2"
"""Part of every evidence key: raise it when a prompt, a start, a bound or the template changes."""

_SYSTEM = "You repeat facts about a user in one short sentence. Keep every topic. Add nothing."

# Several starts, so that portraits differ in shape; which one is drawn from the evidence itself.
_STARTS = (
    "This user enjoys watching",
    "This user enjoys videos about",
    "This user is a fan of",
    "This user watches",
    "This user watches a mix of",
)
_CONSTRAINED_STARTS = ("This user enjoys videos about", "This user watches videos about")

UNKNOWN = "This user has not watched any video yet, so there is nothing to say of their taste."
"""The portrait of a user without interactions."""


def first_prompt(evidence: PortraitEvidence) -> Prompt:
    """What the generator is asked first."""
    when = _when(evidence)
    timely = [f"{when.capitalize()}, this user watches"] if when else []
    start = _draw([*_STARTS, *timely], evidence)
    # what the start says is left out of the facts, or the sentence says it again at its end
    facts = _facts(evidence, without=when if start in timely else "")
    return Prompt(_SYSTEM, facts, start, bounds=_bounds(evidence, evidence.phrases_as_worded()))


def constrained_prompt(evidence: PortraitEvidence) -> Prompt:
    """What it is asked when the first answer was not grounded: topics alone, one start."""
    facts = f"A user watches videos about {join(evidence.names)}."
    return Prompt(
        _SYSTEM, facts, _draw(_CONSTRAINED_STARTS, evidence), bounds=_bounds(evidence, [])
    )


def template_portrait(evidence: PortraitEvidence) -> str:
    """The sentence without a model: true, whole, and no more than the evidence."""
    if not evidence.n_videos and not evidence.topics:
        return UNKNOWN
    phrases = evidence.habit_phrases
    # one of what and one of when: with all four habits nobody reads to the end
    what = [phrase for phrase in phrases if not _is_when(phrase)][:1]
    chosen = [*what, *(phrase for phrase in phrases if _is_when(phrase))]
    habits = ", watching " + join(chosen) if chosen else ""
    return f"This user has watched {_watched(evidence)}{habits}."


def join(parts: Sequence[str]) -> str:
    """Parts as an English list: ``a, b and c``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _facts(evidence: PortraitEvidence, *, without: str) -> str:
    phrases = [phrase for phrase in evidence.habit_phrases if not without or without not in phrase]
    when = [phrase for phrase in phrases if _is_when(phrase)]
    facts = [", ".join([f"A user watches videos about {join(evidence.names)}", *when]) + "."]
    # how far they watch is left to the template: told of it, 22 of 120 answers said "most videos"
    preferred = [phrase.removeprefix("mostly ") for phrase in phrases if phrase.endswith("videos")]
    return " ".join([*facts, *(f"The user prefers {phrase}." for phrase in preferred)])


def _bounds(evidence: PortraitEvidence, phrases: Sequence[str]) -> Bounds:
    return Bounds(tuple(phrases), tuple(evidence.names), min(MIN_NAMES, len(evidence.names)))


def _when(evidence: PortraitEvidence) -> str:
    """The habit of time without its "mostly", empty when there is none."""
    return next((p.removeprefix("mostly ") for p in evidence.habit_phrases if _is_when(p)), "")


def _is_when(phrase: str) -> bool:
    return phrase.startswith(("mostly in ", "mostly at "))


def _draw(starts: Sequence[str], evidence: PortraitEvidence) -> str:
    digest = hashlib.sha256(evidence.key(version=PROMPT_VERSION).encode()).digest()
    return starts[int.from_bytes(digest[:4], "big") % len(starts)]


def _watched(evidence: PortraitEvidence) -> str:
    topics = evidence.topics[: len(evidence.names)]
    if not topics:
        return f"{evidence.n_videos} video{'s' if evidence.n_videos != 1 else ''}"
    (name, n), *others = topics
    first = f"{n} video{'s' if n != 1 else ''} about {name}"
    return join([first, *(f"{n} about {name}" for name, n in others)])

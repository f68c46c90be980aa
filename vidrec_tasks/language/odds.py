"""Odds: how much rather a model would answer yes than no, in nats.

A text is one bit; the chances of its first token are a number that orders videos. Leaves asking to
`causal` and `endpoint`, and the wording of questions to `relevance`.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from vidrec_tasks.errors import ModelError

YES: Final = "yes"
NO: Final = "no"
SPELLINGS: Final = ("{}", " {}")
"""A word at the beginning of an answer, and behind a space; each also with a capital."""
SCHEMA: Final = (
    '{"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, '
    '"required": ["answer"], "additionalProperties": false}'
)
"""For servers that give no chances: the word alone."""
SURE: Final = 1.0
"""Log odds that stand for a word without chances."""

LEAST: Final = -100.0
"""Logarithm of a chance that is told as none; servers write -9999 or -Infinity."""


class YesNo(NamedTuple):
    """Tokens by which an answer can begin, of either word."""

    yes: tuple[int, ...]
    no: tuple[int, ...]


def first_tokens(tokenise: Callable[[str], Sequence[int]]) -> YesNo:
    """The tokens by which the words begin.

    Args:
        tokenise: a text as numbers of tokens, without those that mark its beginning.

    Raises:
        ModelError: the tokenizer does not tell the words apart by their first token.
    """
    yes, no = (
        {tokenise(text)[0] for text in _spelled(word) if len(tokenise(text))} for word in (YES, NO)
    )
    if not yes - no or not no - yes:
        raise ModelError(
            "language model: its tokenizer does not tell 'yes' from 'no' by their first token, so "
            "it cannot say how relevant a video is; set VIDREC_LANGUAGE__RELEVANCE_CALLS to 0"
        )
    return YesNo(tuple(sorted(yes - no)), tuple(sorted(no - yes)))


def _spelled(word: str) -> list[str]:
    return [form.format(one) for form in SPELLINGS for one in (word, word.capitalize())]


def odds_of_chances(chances: Iterable[Mapping[str, Any]]) -> float | None:
    """Log odds from the likeliest first tokens, as servers give them (``top_logprobs``).

    A word that is not among them has at most the chance of the last one there.

    Args:
        chances: of each token its text (``token``) and the logarithm of its chance (``logprob``).

    Returns:
        None where neither word is among them.

    Raises:
        ValueError: these are no chances.
    """
    try:
        found = [(str(one["token"]).strip().casefold(), float(one["logprob"])) for one in chances]
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError("no chances of tokens") from error
    if not found or any(math.isnan(value) for _, value in found):
        raise ValueError("no chances of tokens")
    found = [(token, min(max(value, LEAST), 0.0)) for token, value in found]
    sums = [_log_sum(value for token, value in found if token == word) for word in (YES, NO)]
    if max(sums) == -math.inf:
        return None
    least = min(value for _, value in found)
    yes, no = (value if value > -math.inf else least for value in sums)
    return yes - no


def _log_sum(values: Iterable[float]) -> float:
    chance = sum(math.exp(value) for value in values)
    return math.log(chance) if chance > 0 else -math.inf

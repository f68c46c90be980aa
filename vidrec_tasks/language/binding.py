"""Binding: decoding within the phrases a sentence may be made of, so what comes out is grounded.

A bound sentence goes on from its start as names, phrases and the words that join them, each phrase
once. The model still chooses which, and in what order; where its free choice lies within the bounds
it says the same, token for token. After grammar-constrained decoding (Geng et al., 2023,
arXiv:2305.13971). Whether the sentence may be published is judged by `grounding` alone.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from vidrec_tasks.language.generator import Bounds

OPENERS: Final = ("a mix of", "a variety of", "videos about", "content about")
"""What may stand between a start and the first name."""
JOINERS: Final = (
    "and", "and enjoys", "and enjoys watching", "and likes", "and is a fan of",
    "and is interested in", "and also watches", "as well as",
)  # fmt: skip
"""What may stand between a name and the next; nothing that puts one under another ("such as").
Whole, because word by word 3 of 53 sentences of the embedded model went in circles."""
NOUNS: Final = ("videos", "content")
_TIMES: Final = ("mostly in ", "mostly at ", "mostly on ", "in ", "at ", "on ")
_BASE: Final = "user"
_COMMA: Final = ","


class Node:
    """A place in a tree of tokens; ``unit`` is what is whole here, empty when nothing is."""

    def __init__(self) -> None:
        self.then: dict[int, Node] = {}
        self.unit = ""


class Units:
    """Names, phrases and joining words as tokens.

    Args:
        encode: text to tokens, without special ones.
    """

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        self._encode = encode
        self._base = encode(_BASE)
        self.comma, self.stop = (self._after(sign)[:1] for sign in (_COMMA, "."))
        self.tokens_of = lru_cache(maxsize=65_536)(lambda unit: self._after(f" {unit}"))

    def tree(self, units: Iterable[str]) -> Node:
        """The tree of some units; one whose tokens depend on what is before it is left out."""
        root = Node()
        for unit in units:
            node = root
            for token in self.tokens_of(unit):
                node = node.then.setdefault(token, Node())
            if node is not root:
                node.unit = unit
        return root

    def _after(self, text: str) -> list[int]:
        tokens = self._encode(_BASE + text)
        n = len(self._base)
        return tokens[n:] if tokens[:n] == self._base else []


class Walk:
    """One sentence in the making: what may come next, given what has come.

    Args:
        units: the tokens of names, phrases and joining words.
        bounds: what the sentence may be made of.
        start: the words it begins with; a phrase in them is used up.
    """

    def __init__(self, units: Units, bounds: Bounds, start: str) -> None:
        self.is_done = False
        self._units, self._bounds, self._start = units, bounds, start
        phrases = [p for p in dict.fromkeys((*bounds.names, *bounds.phrases)) if p]
        spent = [phrase for phrase in phrases if _holds(start, phrase)]
        self._spoken: tuple[str, ...] = tuple(spent)
        self._node = units.tree(self._next(self._spoken))

    def tokens(self) -> set[int]:
        """Every token that may come at any time."""
        every = (*self._bounds.names, *self._bounds.phrases, *OPENERS, *JOINERS, *NOUNS)
        signs = {*self._units.comma, *self._units.stop}
        return signs.union(*(self._units.tokens_of(unit) for unit in every if unit))

    def allowed(self) -> set[int]:
        """The tokens that may come next; never none: when nothing fits, the full stop."""
        found = set(self._node.then)
        if self._node.unit:
            units = (*self._spoken, self._node.unit)
            found |= set(self._units.tree(self._next(units)).then)
            found |= set(self._units.comma if self._may_pause(units) else [])
            found |= set(self._units.stop if self._may_end(units) else [])
        return found or set(self._units.stop)

    def take(self, token: int) -> None:
        """Go on by a token that was allowed."""
        if token in self._node.then:
            self._node = self._node.then[token]
            return
        if self._node.unit:
            self._spoken = (*self._spoken, self._node.unit)
        if token in self._units.stop:
            self.is_done = True
        elif token in self._units.comma:
            self._spoken = (*self._spoken, _COMMA)
            self._node = self._units.tree(self._next(self._spoken))
        else:
            self._node = self._units.tree(self._next(self._spoken)).then[token]

    def _next(self, spoken: Sequence[str]) -> list[str]:
        """The units that may follow what was said."""
        left = self._left(spoken)
        names = [unit for unit in left if unit in self._bounds.names]
        others = [unit for unit in left if unit not in self._bounds.names]
        times = [unit for unit in others if unit.startswith(_TIMES)]
        habits = [unit for unit in others if unit not in times]
        joiners = [unit for unit in JOINERS if unit not in spoken or unit == "and"] if names else []
        last = next(reversed(spoken), "")
        if not self._named(spoken):  # before the first name
            is_open = not self._start.endswith((" of", " about")) and last not in OPENERS
            return [*names, *(OPENERS if is_open else ())]
        if last == _COMMA:
            return [*names, *joiners, *times, *habits]
        if last in JOINERS:
            return [*names, *(habits if last == "and" else ())]
        has_noun = any(word in self._start or word in " ".join(spoken) for word in NOUNS)
        nouns = NOUNS if last in self._bounds.names and not has_noun else ()
        return [*joiners, *times, *nouns, *(["and"] if habits else [])]

    def _left(self, spoken: Sequence[str]) -> list[str]:
        """Phrases that were not said, neither alone nor within another."""
        phrases = dict.fromkeys((*self._bounds.names, *self._bounds.phrases))
        spent = [unit for unit in spoken if unit in phrases]
        return [
            phrase
            for phrase in phrases
            if phrase and not any(self._is_same(unit, phrase) for unit in spent)
        ]

    def _is_same(self, unit: str, phrase: str) -> bool:
        """Whether one is within the other, or both are one habit ("prefers short videos")."""
        is_habit = not {unit, phrase} & set(self._bounds.names)
        one_habit = is_habit and unit.split()[-2:] == phrase.split()[-2:]
        return one_habit or _holds(unit, phrase) or _holds(phrase, unit)

    def _named(self, spoken: Iterable[str]) -> set[str]:
        return set(self._bounds.names) & set(spoken)

    def _may_pause(self, spoken: Sequence[str]) -> bool:
        return bool(self._named(spoken)) and spoken[-1] not in JOINERS and bool(self._left(spoken))

    def _may_end(self, spoken: Sequence[str]) -> bool:
        is_whole = spoken[-1] not in (*JOINERS, *OPENERS, _COMMA)
        return is_whole and len(self._named(spoken)) >= self._bounds.min_names


@lru_cache(maxsize=65_536)
def _holds(text: str, phrase: str) -> bool:
    pattern = rf"(?<![\w-]){re.escape(phrase)}(?![\w-])"
    return re.search(pattern, text, re.IGNORECASE) is not None

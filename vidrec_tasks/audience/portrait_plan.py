"""Portrait plan: the sentences a portrait may consist of, with alternatives whose slots are facts.

One plan is worked in three ways: `realise` draws a wording without a model, `grammar` lets a model
write any wording of it and nothing else, and `read_back` says which facts a wording named. After
grammar-constrained decoding (Geng et al., 2023, arXiv:2305.13971).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Said:
    """Words that state facts.

    Attributes:
        text: as it stands in the sentence.
        facts: numbers of the facts it states.
    """

    text: str
    facts: tuple[int, ...]


@dataclass(frozen=True)
class OneOf:
    """Alternatives, at least one; which is taken says nothing that is not true of all."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Row:
    """Nodes one after the other."""

    nodes: tuple["Node", ...]


Node = str | Said | OneOf | Row


@dataclass(frozen=True)
class Sentence:
    """A sentence as it was worded.

    Attributes:
        text: with its full stop.
        facts: numbers of the facts that it states, rising.
        shape: the text with what states facts left out.
    """

    text: str
    facts: tuple[int, ...]
    shape: str = ""


SLOT: Final = "_"
Draw = Callable[[int], int]
"""How many alternatives there are -> which one is taken, from 0."""


def row(*nodes: Node) -> Row:
    """Nodes one after the other."""
    return Row(nodes)


def one_of(*nodes: Node) -> Node:
    """Alternatives; of a single one, itself."""
    return nodes[0] if len(nodes) == 1 else OneOf(nodes)


def realise(plan: Sequence[Node], draw: Draw) -> list[Sentence]:
    """One wording of each sentence of a plan."""
    return [_sentence(list(_leaves(node, draw))) for node in plan]


def grammar(plan: Sequence[Node], *, gap: str) -> str:
    """The plan as a Lark grammar of one regular expression.

    One terminal, so that no word is split in two ways where a name begins like another.

    Args:
        plan: the sentences.
        gap: what stands between two sentences.
    """
    body = _escape(gap).join(_pattern(node) for node in plan)
    return f"start: /{_slashed(body)}/"


def read_back(plan: Sequence[Node], text: str, *, gap: str) -> list[Sentence]:
    """The sentences of a wording and the facts they state; none where it is not of the plan."""
    groups: list[list[Said]] = []
    patterns = []
    for num, node in enumerate(plan):
        leaves: list[Said] = []
        patterns.append(f"(?P<s{num}>{_pattern(node, leaves, f's{num}_')})")
        groups.append(leaves)
    found = re.fullmatch(_escape(gap).join(patterns), text)
    if found is None:
        return []
    return [_found(found, num, leaves) for num, leaves in enumerate(groups)]


def _found(found: re.Match[str], num: int, leaves: Sequence[Said]) -> Sentence:
    start = found.start(f"s{num}")
    text = shape = found[f"s{num}"]
    facts: set[int] = set()
    spans = []
    for place, leaf in enumerate(leaves):
        if found[f"s{num}_{place}"] is not None:
            facts |= set(leaf.facts)
            spans.append(found.span(f"s{num}_{place}"))
    for begin, end in sorted(spans, reverse=True):
        shape = shape[: begin - start] + SLOT + shape[end - start :]
    return Sentence(text, tuple(sorted(facts)), shape)


def _leaves(node: Node, draw: Draw) -> list[str | Said]:
    if isinstance(node, OneOf):
        return _leaves(node.nodes[draw(len(node.nodes))], draw)
    if isinstance(node, Row):
        return [leaf for one in node.nodes for leaf in _leaves(one, draw)]
    return [node]


def _sentence(leaves: Sequence[str | Said]) -> Sentence:
    words = [leaf if isinstance(leaf, str) else leaf.text for leaf in leaves]
    shape = [leaf if isinstance(leaf, str) else SLOT for leaf in leaves]
    facts = {num for leaf in leaves if isinstance(leaf, Said) for num in leaf.facts}
    return Sentence("".join(words), tuple(sorted(facts)), "".join(shape))


def _pattern(node: Node, leaves: list[Said] | None = None, prefix: str = "") -> str:
    """The regular expression of a node; with ``leaves``, a named group for each that states."""
    if isinstance(node, str):
        return _escape(node)
    if isinstance(node, Said):
        if leaves is None:
            return _escape(node.text)
        leaves.append(node)
        return f"(?P<{prefix}{len(leaves) - 1}>{_escape(node.text)})"
    inner = [_pattern(one, leaves, prefix) for one in node.nodes]
    return "".join(inner) if isinstance(node, Row) else f"(?:{'|'.join(inner)})"


_SPECIAL: Final = re.compile(r"[.^$*+?{}\[\]\\|()]")


def _escape(text: str) -> str:
    """As both engines of regular expressions read it: `re.escape` escapes more than one knows."""
    return _SPECIAL.sub(lambda sign: "\\" + sign[0], text)


def _slashed(pattern: str) -> str:
    return pattern.replace("/", "\\/").replace("\n", " ")

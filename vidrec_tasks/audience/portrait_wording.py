"""Portrait wording: the plan of a user's portrait: at most three sentences out of the user's facts.

The first says what they watch, the second what changed, how they watch and what they turn away
from, the third names liked videos. Nothing is chosen within the third, so a model that words the
plan need not read its many tokens. Leaves the words to `portrait_phrases`.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from itertools import combinations
from typing import Any, Final

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_phrases import ALL, BOTH, PHRASES, Phrases
from vidrec_tasks.audience.portrait_plan import (
    Draw,
    Node,
    OneOf,
    Row,
    Said,
    Sentence,
    one_of,
    realise,
    row,
)

WORDING_VERSION: Final = "4"
"""Part of every evidence key: raise it when a phrase, a plan or a prompt changes."""

MAX_TOPICS: Final = 3
MAX_TITLES: Final = 3
MAX_CLAUSES: Final = 3
"""What a sentence names at most; of more facts it says which."""
_LITTLE: Final = 2
"""Videos up to which counts of topics say nothing."""
_OFTEN: Final = 3

_TURNS: Final = (kinds.MORE, kinds.NEW, kinds.LESS)
_HABITS: Final = (kinds.WHEN, kinds.LENGTH, kinds.FAR, kinds.FRESH)
_ORDER: Final = (*_TURNS, kinds.CREATOR, *_HABITS, kinds.AWAY)


def plan_of(facts: Sequence[Fact], *, language: str) -> list[Node]:
    """The sentences that a portrait may consist of; none where there is nothing to say.

    Args:
        facts: of one user, numbered.
        language: 'en' or 'zh'.
    """
    words = PHRASES[language]
    topics = _topics(facts, words)
    if topics is None:
        return []
    others = [_clauses(facts, words), _favourites(facts, words)]
    return [topics, *(sentence for sentence in others if sentence is not None)]


def template_sentences(facts: Sequence[Fact], *, language: str) -> list[Sentence]:
    """The portrait without a model; which wording is drawn from the facts themselves."""
    plan = plan_of(facts, language=language)
    if not plan:
        return [Sentence(PHRASES[language].unknown, ())]
    return realise(plan, drawn_from(facts))


def fact_sentence(fact: Fact, *, language: str) -> str:
    """One fact as a sentence of its own, as the page shows it and a model is given it."""
    words = PHRASES[language]
    places = _places(fact, words)
    if fact.kind == kinds.TOTAL:
        counted = words.one_video if fact.n == 1 else words.videos.format(n=fact.n)
        return words.watched_only[0].format(videos=counted)
    if fact.kind == kinds.TOPIC:
        opening = words.openings["liked" if fact.n_liked else "any"][0]
        return opening + words.first_topic.format(**places) + words.stop
    if fact.kind == kinds.TITLE:
        title = words.title_again if fact.n > 1 else words.title
        return words.favourite[0].format(names=title.format(**places))
    return words.clause + _texts(fact, words)[0].format(**places) + words.stop


def gap_of(language: str) -> str:
    """What stands between two sentences."""
    return PHRASES[language].gap


def narrowed(node: Node, draw: Draw, n: int) -> Node:
    """The same with at most ``n`` alternatives at each place, so that portraits differ in shape."""
    if isinstance(node, OneOf):
        nodes = [narrowed(one, draw, n) for one in node.nodes]
        start = draw(len(nodes))
        return one_of(*(nodes[start:] + nodes[:start])[:n])
    if isinstance(node, Row):
        return Row(tuple(narrowed(one, draw, n) for one in node.nodes))
    return node


def drawn_from(facts: Sequence[Fact]) -> Draw:
    """Draws that follow from the facts, so that a night that is run again says the same."""
    text = json.dumps([vars(fact) for fact in facts], sort_keys=True)
    state = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")

    def draw(n: int) -> int:
        nonlocal state
        state, rest = divmod(state, n)
        return rest

    return draw


def _topics(facts: Sequence[Fact], words: Phrases) -> Node | None:
    topics = [fact for fact in facts if fact.kind == kinds.TOPIC]
    total = next((fact for fact in facts if fact.kind == kinds.TOTAL), None)
    if total is None:
        return None
    if not topics or total.n <= _LITTLE:
        return _little(total, topics, words)
    return one_of(*(_opened(chosen, words) for chosen in _choices(topics, MAX_TOPICS)))


def _little(total: Fact, topics: Sequence[Fact], words: Phrases) -> Node:
    """Of a video or two, and of videos that no topic can be named of."""
    counted = words.one_video if total.n == 1 else words.videos.format(n=total.n)
    videos = Said(counted, (total.number,))
    names: list[Node] = [
        Said(words.bare_topic.format(name=fact.name), (fact.number,))
        for fact in topics[:MAX_TOPICS]
    ]
    listed = _listed(names, words.comma, words.last)
    if not names:
        return _filled(words.watched_only[0], videos=videos)
    return one_of(*(_filled(one, videos=videos, names=listed) for one in words.watched_little))


def _opened(topics: Sequence[Fact], words: Phrases) -> Node:
    first = topics[0]
    openings = [*words.openings["any"]]
    if all(fact.n_liked for fact in topics):
        openings += words.openings["liked"]
    if min(fact.n for fact in topics) >= _OFTEN:
        openings += words.openings["often"]
    leaves: list[Node] = [
        Said((words.first_topic if fact is first else words.topic).format(**_places(fact, words)),
             (fact.number,))
        for fact in topics
    ]  # fmt: skip
    listed = _listed(leaves, words.comma, words.last)
    if 2 * first.n > first.of and len(topics) > 1:
        also = row(leaves[0], words.also, _listed(leaves[1:], words.comma, words.last))
        mostly = [row(one, also) for one in words.openings["mostly"]]
    else:
        mostly = []
    plain = row(one_of(*openings), listed)
    return row(one_of(plain, *mostly), words.stop)


def _favourites(facts: Sequence[Fact], words: Phrases) -> Node | None:
    titles = [fact for fact in facts if fact.kind == kinds.TITLE][:MAX_TITLES]
    if not titles:
        return None
    leaves: list[Node] = []
    for fact in titles:
        title = words.title_again if fact.n > 1 else words.title
        leaves.append(Said(title.format(**_places(fact, words)), (fact.number,)))
    listed = _listed(leaves, words.comma, words.last)
    frames = words.favourites if len(titles) > 1 else words.favourite
    return one_of(*(_filled(frame, names=listed) for frame in frames))


def _clauses(facts: Sequence[Fact], words: Phrases) -> Node | None:
    """What changed first, then a creator, habits and a dislike; at most three."""
    found: dict[str, Node] = {}
    for kind in _ORDER:
        for fact in facts:
            if fact.kind == kind and kind not in found:
                found[kind] = _clause(fact, words)
    if not found:
        return None
    turns = [kind for kind in found if kind in _TURNS][:1]
    rest = [kind for kind in found if kind not in _TURNS]
    n = MAX_CLAUSES - len(turns)
    groups = [[*turns, *some] for some in combinations(rest, min(n, len(rest)))]
    # a dislike says most of what a user is not shown, so it is kept where there is one
    if kinds.AWAY in rest:
        groups = [group for group in groups if kinds.AWAY in group]
    nodes = [
        _listed([found[kind] for kind in group], words.clause_comma, words.clause_last)
        for group in groups
    ]
    return row(words.clause, one_of(*nodes), words.stop)


def _clause(fact: Fact, words: Phrases) -> Node:
    places = _places(fact, words)
    texts = _texts(fact, words)
    return one_of(*(Said(text.format(**places), (fact.number,)) for text in texts))


def _texts(fact: Fact, words: Phrases) -> tuple[str, ...]:
    keys = [fact.kind + fact.name, fact.kind]
    if fact.n == fact.of:
        keys = [*([fact.kind + BOTH] if fact.n == 2 else []), fact.kind + ALL, *keys]
    return next(words.clauses[key] for key in keys if key in words.clauses)


def _choices(facts: Sequence[Fact], n: int) -> list[list[Fact]]:
    """The strongest with some of the next ones, in order; all of few."""
    first, *others = facts[: n + 1]
    return [[first, *some] for some in combinations(others, min(n - 1, len(others)))]


def _listed(nodes: Sequence[Node], comma: str, last: str) -> Node:
    """``a, b and c``."""
    joined: list[Node] = []
    for place, node in enumerate(nodes):
        if place:
            joined.append(last if place == len(nodes) - 1 else comma)
        joined.append(node)
    return Row(tuple(joined))


def _filled(text: str, **places: Node) -> Node:
    """A text whose ``{places}`` are nodes."""
    nodes: list[Node] = []
    for piece in text.split("{"):
        name, brace, rest = piece.partition("}")
        nodes += [places[name], rest] if brace else [piece]
    return Row(tuple(nodes))


def _places(fact: Fact, words: Phrases) -> dict[str, Any]:
    places = {**vars(fact), "minutes": fact.limit // 60}
    if fact.since:
        since = date.fromisoformat(fact.since)
        month = words.months[since.month - 1] if words.months else since.month
        places["day"] = words.day.format(day=since.day, month=month, year=since.year)
    return places

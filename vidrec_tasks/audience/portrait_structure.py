"""Portrait structure: the facts of a user by what they say, for programs and pages."""

from collections.abc import Sequence
from typing import Any, Final

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact

TURNS: Final = (kinds.MORE, kinds.NEW, kinds.LESS)
HABITS: Final = (kinds.WHEN, kinds.LENGTH, kinds.FAR, kinds.FRESH)


def structure_of(facts: Sequence[Fact]) -> dict[str, list[dict[str, Any]]]:
    """The portrait as lists, each entry with the numbers of the facts that it rests on.

    Args:
        facts: of one user; only those that were recomputed belong in here.

    Returns:
        ``interests`` (topic, strength as a share of the watched videos, trend ('more', 'less',
        'new' or ''), facts), ``dislikes`` (topic, share turned away, facts), ``turns`` (topic,
        trend, since, facts), ``favourites`` (title, video_id, facts), ``creators`` (creator_id,
        n_videos, facts), ``habits`` (kind, name, share, facts).
    """
    turns = {fact.name: fact for fact in facts if fact.kind in TURNS}
    return {
        "interests": [_interest(fact, turns) for fact in _of(facts, kinds.TOPIC)],
        "dislikes": [
            {"topic": fact.name, "share": _share(fact), "facts": [fact.number]}
            for fact in _of(facts, kinds.AWAY)
        ],
        "turns": [
            {"topic": fact.name, "trend": fact.kind, "since": fact.since, "facts": [fact.number]}
            for fact in _of(facts, *TURNS)
        ],
        "favourites": [
            {"title": fact.name, "video_id": fact.of_id, "facts": [fact.number]}
            for fact in _of(facts, kinds.TITLE)
        ],
        "creators": [
            {"creator_id": fact.of_id, "n_videos": fact.n, "facts": [fact.number]}
            for fact in _of(facts, kinds.CREATOR)
        ],
        "habits": [
            {"kind": fact.kind, "name": fact.name, "share": _share(fact), "facts": [fact.number]}
            for fact in _of(facts, *HABITS)
        ],
    }


def _interest(fact: Fact, turns: dict[str, Fact]) -> dict[str, Any]:
    turn = turns.get(fact.name)
    numbers = [fact.number, *([turn.number] if turn else [])]
    trend = turn.kind if turn else ""
    return {"topic": fact.name, "strength": _share(fact), "trend": trend, "facts": numbers}


def _of(facts: Sequence[Fact], *wanted: str) -> list[Fact]:
    return [fact for fact in facts if fact.kind in wanted]


def _share(fact: Fact) -> float:
    return round(fact.n / fact.of, 4) if fact.of else 0.0

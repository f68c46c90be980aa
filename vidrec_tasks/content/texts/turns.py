"""Turns: which films are heard tonight, where there are more than a night may hear."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest


@dataclass(frozen=True)
class Unheard:
    """A film that is to be heard.

    Attributes:
        key: its name here.
        seconds: that hearing it means.
        published: seconds since 1970; -inf not known.
        n_viewers: lately.
    """

    key: str
    seconds: float
    published: float = float("-inf")
    n_viewers: int = 0


def take_turns(films: Sequence[Unheard], *, budget_s: float, night: int = 0) -> list[str]:
    """Keys of the films that are heard: the newest and the most watched in turn.

    The last one may be longer than what is left, so that a long film does not wait for ever: one
    that takes the budget of n nights is heard on every n-th.

    Args:
        films: that are to be heard.
        budget_s: seconds that may be heard tonight.
        night: a number that rises by one a night, another for each that shares a budget.
    """
    newest = sorted(films, key=lambda film: (-film.published, film.key))
    watched = sorted(films, key=lambda film: (-film.n_viewers, film.key))
    in_turn = chain.from_iterable(zip_longest(newest, watched))
    order: Mapping[str, Unheard] = {film.key: film for film in in_turn if film is not None}
    taken, spent = [], 0.0
    for film in order.values():
        nights = math.ceil(film.seconds / budget_s) if budget_s > 0 else 1
        if spent >= budget_s or (spent + film.seconds > budget_s and night % max(nights, 1)):
            break
        taken.append(film.key)
        spent += film.seconds
    return taken

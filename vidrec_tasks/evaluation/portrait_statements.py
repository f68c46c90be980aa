"""Portrait statements: whether one thing said of a user is true of their visits, kind by kind."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from vidrec_tasks.evaluation.portrait_person import Person
from vidrec_tasks.evaluation.portrait_reading import Statement

MOSTLY: Final = 0.55
"""Share from which "mostly" is no lie; writers ask for more."""
RARELY: Final = 0.1
"""Share up to which "rarely" is no lie."""
_FEW: Final = 5
_MANY: Final = 10
"""Videos under which nothing is rare."""
_HOURS: Final[Mapping[str, Callable[[datetime], bool]]] = {
    "morning": lambda at: 6 <= at.hour < 12,
    "afternoon": lambda at: 12 <= at.hour < 18,
    "evening": lambda at: 18 <= at.hour < 22,
    "night": lambda at: at.hour >= 22 or at.hour < 6,
    "weekend": lambda at: at.isoweekday() >= 6,
}
_DAY_S: Final = 86_400


def _about(person: Person, said: Statement) -> str:
    """That videos of a name were watched, and how many of how many where it is said."""
    of_topic = person.about(said.name) & person.watched
    if said.n < 0:
        named = of_topic or (person.titled(said.name) | person.made_by(said.name)) & person.watched
        return "" if named else "nothing of that name was watched"
    return _differs(said, len(of_topic), len(person.watched))


def _likes(person: Person, said: Statement) -> str:
    named = person.about(said.name) | person.titled(said.name) | person.made_by(said.name)
    return "" if named & person.watched & person.liked else "nothing of that name was liked"


def _often(person: Person, said: Statement) -> str:
    n = len((person.about(said.name) | person.made_by(said.name)) & person.watched)
    return "" if n >= 3 else f"{n} watched are not often"


def _most(person: Person, said: Statement) -> str:
    n, of = len(person.about(said.name) & person.watched), len(person.watched)
    return _differs(said, n, of) or ("" if 2 * n > of else f"{n} of {of} are not most")


def _times(person: Person, said: Statement) -> str:
    titled = person.titled(said.name)
    found = {sum(visit.video_id == video for visit in person.seen) for video in titled}
    return "" if said.n in found else f"watched {sorted(found)} times, not {said.n}"


def _by(person: Person, said: Statement) -> str:
    n = len(person.made_by(said.name) & person.watched)
    return "" if n == said.n else f"{n} watched of the creator, not {said.n}"


class _Halves(NamedTuple):
    """Videos about a topic, and in all: watched since a day, and before it."""

    n: int
    of: int
    before: int
    of_before: int


def _halves(person: Person, said: Statement, since: float) -> _Halves:
    late = {visit.video_id for visit in person.seen if visit.at >= since}
    early = {visit.video_id for visit in person.seen if visit.at < since}
    about = person.about(said.name)
    return _Halves(len(late & about), len(late), len(early & about), len(early))


def _turned(person: Person, said: Statement, holds: Callable[[float, float], bool]) -> str:
    """Of a turn without its day: whether it holds with these counts from some day on."""
    days = [_midnight(said.since)] if said.since else sorted(
        {visit.at // _DAY_S * _DAY_S for visit in person.seen}
    )  # fmt: skip
    reasons = [_turned_on(person, said, since, holds) for since in days]
    return "" if "" in reasons else (reasons or ["nothing to compare with"])[-1]


def _turned_on(
    person: Person, said: Statement, since: float, holds: Callable[[float, float], bool]
) -> str:
    found = _halves(person, said, since)
    if not found.of or not found.of_before:
        return "nothing to compare with"
    meant = (said.n, said.of, said.before, said.of_before)
    if said.n >= 0 and meant != found:
        n, of, before, of_before = found
        return f"{n} of {of} since, {before} of {of_before} before, not {meant}"
    if said.limit >= 0 and person.seen[-1].at - since > said.limit * _DAY_S:
        return "not lately"
    is_so = holds(found.n / found.of, found.before / found.of_before)
    return "" if is_so else "no such turn"


def _midnight(day: str) -> float:
    return datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()


def _more(person: Person, said: Statement) -> str:
    return _turned(person, said, lambda late, early: late >= 1.25 * early and late > 0)


def _less(person: Person, said: Statement) -> str:
    return _turned(person, said, lambda late, early: early >= 1.25 * late and early > 0)


def _new(person: Person, said: Statement) -> str:
    first = said._replace(before=max(said.before, 0))
    return _turned(person, first, lambda late, early: late > 0 and early == 0)


def _when(person: Person, said: Statement) -> str:
    moments = [datetime.fromtimestamp(visit.at, UTC) for visit in person.seen]
    return _mostly(said, sum(map(_HOURS[said.name], moments)), len(moments))


def _length(person: Person, said: Statement) -> str:
    lengths = [person.videos[video].length for video in person.watched]
    minutes = [length / 60 for length in lengths if length > 0]
    is_such = [m < said.limit if said.kind == "under" else m > said.limit for m in minutes]
    return _mostly(said, sum(is_such), len(minutes))


def _far(person: Person, said: Statement) -> str:
    shares = _furthest(person)
    is_such = [share >= 0.9 if said.kind == "whole" else share < 0.5 for share in shares]
    return _mostly(said, sum(is_such), len(shares))


def _furthest(person: Person) -> list[float]:
    """The largest share of each watched video that is known of."""
    furthest: dict[str, float] = {}
    for visit in person.seen:
        if not math.isnan(visit.share):
            furthest[visit.video_id] = max(furthest.get(visit.video_id, 0.0), visit.share)
    return list(furthest.values())


def _fresh(person: Person, said: Statement) -> str:
    ages = [visit.at - person.videos[video].published for video, visit in person.firsts.items()]
    known = [age for age in ages if not math.isnan(age)]
    return _mostly(said, sum(age <= said.limit * _DAY_S for age in known), len(known))


def _away(person: Person, said: Statement) -> str:
    met = person.about(said.name)
    n = len(met & person.refused)
    return _differs(said, n, len(met)) or ("" if 2 * n > len(met) else "most were not turned away")


def _all_away(person: Person, said: Statement) -> str:
    met = person.about(said.name)
    n = len(met & person.refused)
    return "" if n == len(met) == said.n else f"{n} of {len(met)}, not all {said.n}"


def _rarely(person: Person, said: Statement) -> str:
    n, of = len(person.about(said.name) & person.watched), len(person.watched)
    return "" if of >= _MANY and n <= RARELY * of else f"{n} of {of} are not rare"


def _unfinished(person: Person, said: Statement) -> str:
    shares = _furthest(person)
    n = sum(share >= 0.9 for share in shares)
    is_so = len(shares) >= _FEW and n <= RARELY * len(shares)
    return "" if is_so else f"{n} of {len(shares)} were watched to the end"


def _total(person: Person, said: Statement) -> str:
    n = len(person.watched)
    return "" if n == said.n else f"{n} were watched, not {said.n}"


def _unknown(person: Person, said: Statement) -> str:
    return "something was watched" if person.watched else ""


def _mostly(said: Statement, n: int, of: int) -> str:
    if reason := _differs(said, n, of):
        return reason
    return "" if of >= _FEW and n >= MOSTLY * of else f"{n} of {of} are not most"


def _differs(said: Statement, n: int, of: int) -> str:
    meant = (said.n if said.n >= 0 else n, said.of if said.of >= 0 else of)
    return "" if meant == (n, of) else f"{n} of {of}, not {meant[0]} of {meant[1]}"


CHECKS: Final[Mapping[str, Callable[[Person, Statement], str]]] = {
    "about": _about, "likes": _likes, "often": _often, "most": _most, "times": _times,
    "by": _by, "more": _more, "less": _less, "new": _new, "when": _when,
    "under": _length, "over": _length, "whole": _far, "half": _far, "fresh": _fresh,
    "away": _away, "all away": _all_away, "rarely": _rarely,
    "unfinished": _unfinished, "total": _total, "unknown": _unknown,
}  # fmt: skip
"""Kind of statement -> why it is false; empty when it is true."""

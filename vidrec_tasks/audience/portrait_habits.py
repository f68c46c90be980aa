"""Portrait habits: when, how long, how far and how new somebody watches, as facts of a clear share.

Hours are UTC, as in the logs.
"""

from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact

MIN_VISITS: Final = 5
"""Visits or videos under which a share says nothing of a habit."""
CLEAR: Final = 0.6
"""Share from which something is a habit: half of five visits is a coin, weekends are 2 of 7."""
MIN_DAYS: Final = 3
"""Days with a visit under which an hour is no habit."""
BEYOND_USUAL: Final = 0.15
"""By how much a share must exceed that of the catalogue to say something of a user."""
SHORT_S: Final = 240
LONG_S: Final = 1200
WHOLE_SHARE: Final = 0.9
PART_SHARE: Final = 0.5
FRESH_DAYS: Final = 7

_HOURS: Final = {
    kinds.MORNING: range(6, 12),
    kinds.AFTERNOON: range(12, 18),
    kinds.EVENING: range(18, 22),
    kinds.NIGHT: (22, 23, 0, 1, 2, 3, 4, 5),
}
_THURSDAY: Final = 3
"""The day of the week on which the seconds of 1970 begin; Monday is 0."""

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


class Lengths(Protocol):
    """What is known of videos: seconds they last (NaN unknown), when they came out (0 unknown).

    The usual shares are those of the catalogue (`usual_shares`).
    """

    duration_s: Doubles
    published_s: Ints
    usual_shares: dict[str, float]


def habits(
    nums: Ints, seconds: Ints, shares: Doubles, watched: npt.NDArray[np.bool_], videos: Lengths
) -> Iterator[Fact]:
    """At most one fact each of when, how long, how far and how new.

    Args:
        nums: the videos of the user's visits; this and the next three are of one length.
        seconds: when each visit ended, since 1970 UTC.
        shares: how much was watched, NaN unknown.
        watched: whether it was.
        videos: by video_num.
    """
    nums, seconds, shares = nums[watched], seconds[watched], shares[watched]
    if len(nums) < MIN_VISITS:
        return
    yield from _when(seconds)
    yield from _length(np.unique(nums), videos)
    yield from _far(nums, shares)
    yield from _fresh(nums, seconds, videos)


def usual_shares(duration_s: Doubles) -> dict[str, float]:
    """Short and long -> the share of a catalogue's videos that are so."""
    lengths = duration_s[duration_s > 0]
    n = max(1, len(lengths))
    shares = {kinds.SHORT: (lengths < SHORT_S).sum() / n, kinds.LONG: (lengths > LONG_S).sum() / n}
    return {name: float(share) for name, share in shares.items()}


def _when(seconds: Ints) -> Iterator[Fact]:
    if len(np.unique(seconds // 86_400)) < MIN_DAYS:
        return
    hours, days = seconds // 3600 % 24, (seconds // 86_400 + _THURSDAY) % 7
    counts = {name: int(np.isin(hours, list(span)).sum()) for name, span in _HOURS.items()}
    counts[kinds.WEEKEND] = int((days >= 5).sum())
    name = max(counts, key=lambda one: counts[one])
    yield from _clear(Fact(kinds.WHEN, name, n=counts[name], of=len(seconds)))


def _length(nums: Ints, videos: Lengths) -> Iterator[Fact]:
    lengths = videos.duration_s[nums]
    lengths = lengths[lengths > 0]
    for name, limit, n in (
        (kinds.SHORT, SHORT_S, int((lengths < SHORT_S).sum())),
        (kinds.LONG, LONG_S, int((lengths > LONG_S).sum())),
    ):
        if n > (videos.usual_shares[name] + BEYOND_USUAL) * len(lengths):
            yield from _clear(Fact(kinds.LENGTH, name, n=n, of=len(lengths), limit=limit))


def _far(nums: Ints, shares: Doubles) -> Iterator[Fact]:
    known = ~np.isnan(shares)
    videos, places = np.unique(nums[known], return_inverse=True)
    furthest = np.zeros(len(videos))
    np.maximum.at(furthest, places, shares[known])
    for name, n in (
        (kinds.WHOLE, int((furthest >= WHOLE_SHARE).sum())),
        (kinds.PART, int((furthest < PART_SHARE).sum())),
    ):
        yield from _clear(Fact(kinds.FAR, name, n=n, of=len(videos)))


def _fresh(nums: Ints, seconds: Ints, videos: Lengths) -> Iterator[Fact]:
    """Videos whose first watched visit ended at most a week after they came out."""
    firsts, places = np.unique(nums, return_index=True)  # the oldest visit comes first
    published = videos.published_s[firsts]
    age_s = (seconds[places] - published)[published > 0]
    n = int((age_s <= FRESH_DAYS * 86_400).sum())
    yield from _clear(Fact(kinds.FRESH, n=n, of=len(age_s), limit=FRESH_DAYS))


def _clear(fact: Fact) -> Iterator[Fact]:
    if fact.of >= MIN_VISITS and fact.n >= CLEAR * fact.of:
        yield fact

"""Plausibility: what a whole table says that no row can: its units, and how its ids are written.

Each finding names what is wrong, how often, a sample and the next step.
"""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.columns import DURATION_S, EVENT_TYPE, VIDEO_ID, WATCHED_S
from vidrec_tasks.errors import ContractError

MOST_WATCHED: Final = 5.0
"""Times its own length that the median play of a log may last."""
LEAST_WATCHED: Final = 0.003
"""Share of its length that the median play of a log lasts at least."""
LONGEST_MEDIAN_S: Final = 43_200.0
"""Half a day: the median video of a catalogue is shorter."""
MIN_PLAYS: Final = 5
"""Plays that say anything of a unit."""
N_SAMPLES: Final = 1_000

_WATCHING: Final = ("play", "complete")
_BINS: Final = np.linspace(-9, 9, 1_801)


class WatchedUnits:
    """Compares how long was watched with how long videos are, over chunks of a log.

    Args:
        videos: video_id, duration_s.
    """

    def __init__(self, videos: pd.DataFrame) -> None:
        self._duration_s = videos.set_index(VIDEO_ID)[DURATION_S]
        self._counts = np.zeros(len(_BINS) - 1, dtype=np.int64)

    def note(self, events: pd.DataFrame) -> None:
        """Take note of a chunk's plays."""
        plays = events[events[EVENT_TYPE].isin(_WATCHING) & (events[WATCHED_S] > 0)]
        duration_s = plays[VIDEO_ID].map(self._duration_s).to_numpy(np.float64)
        known = duration_s > 0
        times = plays[WATCHED_S].to_numpy(np.float64)[known] / duration_s[known]
        logs = np.clip(np.log10(times), _BINS[0], _BINS[-1])
        self._counts += np.histogram(logs, bins=_BINS)[0]

    def check(self) -> None:
        """Refuse a log whose watched times are in another unit than the lengths.

        Raises:
            ContractError: says how far apart they are, and which setting names the unit.
        """
        n = int(self._counts.sum())
        if n < MIN_PLAYS:
            return
        place = int(np.searchsorted(np.cumsum(self._counts), (n + 1) // 2))
        median = float(10 ** ((_BINS[place] + _BINS[place + 1]) / 2))
        median_s = float(self._duration_s[self._duration_s > 0].median())
        if median > MOST_WATCHED:
            message = (
                f"interactions: the median of {n:,} plays lasts {median:.3g} times its video's "
                "length, so watched_s is in another unit than duration_s; write seconds, or set "
                "VIDREC_INPUTS__WATCHED_UNIT=ms"
            )
            raise ContractError(message)
        if median < LEAST_WATCHED and median_s > LONGEST_MEDIAN_S:
            message = (
                f"videos: duration_s says {median_s:,.0f} for the median video, and the median of "
                f"{n:,} plays lasts {median:.2g} of it; write seconds, or set "
                "VIDREC_INPUTS__DURATION_UNIT=ms"
            )
            raise ContractError(message)


class UnknownVideos:
    """Counts the events that name no video of the catalogue, and looks at how their ids differ."""

    def __init__(self) -> None:
        self.n = self.n_all = 0
        self._samples: dict[str, None] = {}

    def note(self, n_all: int, unknown: Collection[str]) -> None:
        """Take note of a chunk: how many events, and the ids of those without a video."""
        self.n_all += n_all
        self.n += len(unknown)
        for name in unknown:
            if len(self._samples) >= N_SAMPLES:
                break
            self._samples[name] = None

    def check(
        self,
        video_ids: Collection[str],
        *,
        max_share: float,
        before: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        """Refuse a log of which too much is about nothing that is known.

        Args:
            video_ids: of the catalogue.
            max_share: of the events, that may name none of them.
            before: the catalogue that was read before; asked for only where it is needed.

        Raises:
            ContractError: how many, the first id, how it differs from the nearest known one, and
                the next step.
        """
        if not self.n or self.n / self.n_all <= max_share:
            return
        message = (
            f"interactions: {self.n:,} of {self.n_all:,} events name no video of the catalogue, "
            f"more than {max_share:.0%} (first: {next(iter(self._samples))!r}"
            f"{self._difference(video_ids, before())}); write the ids in the same form, export the "
            "whole "
            "catalogue, or raise VIDREC_INPUTS__MAX_UNKNOWN_SHARE"
        )
        raise ContractError(message)

    def _difference(self, video_ids: Collection[str], before: Collection[str]) -> str:
        gone = next((name for name in self._samples if name in before), None)
        if gone is not None:
            return f"; {gone!r} was in the catalogue that was read before"
        for what, plain in _PLAIN.items():
            known = {plain(name): name for name in video_ids}
            for name in self._samples:
                if plain(name) in known:
                    return f"; {name!r} would be {known[plain(name)]!r} but for {what}"
        return f"; the catalogue has {min(video_ids, default='')!r}"


_PLAIN: Final[dict[str, Callable[[str], str]]] = {
    "capital letters": lambda name: name.casefold(),
    "leading zeros": lambda name: name.lstrip("0"),
    "blanks": lambda name: "".join(name.split()),
    "a fraction of nothing": lambda name: name.removesuffix(".0"),
    "what stands before the last mark": lambda name: _last_part(name),
    "capitals, zeros, blanks and marks": lambda name: _bare(name),
}
"""A way in which systems write one id differently -> the id without it."""


def _last_part(name: str) -> str:
    for mark in ("/", ":", "#"):
        name = name.rpartition(mark)[2]
    return name


def _bare(name: str) -> str:
    letters = "".join(ch for ch in _last_part(name).casefold() if ch.isalnum())
    return letters.lstrip("0")

"""Size: how large a demo world is, and the days that it spans."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from vidrec_tasks.errors import SettingsError

LAST_NIGHT: Final = date(2026, 9, 1)
WORLD_VERSION: Final = 2
"""Raised when the same size and seed give another world."""

MINIMUM: Final = {"videos": 8, "users": 6, "nights": 4, "seed": 0}


@dataclass(frozen=True)
class Size:
    """What decides a demo world.

    Attributes:
        videos, users: how many; planted mishaps are among them.
        nights: days of logs before the last night.
        seed: the same one gives the same world.
        films: videos that get a film, the first ones of the catalogue; -1: all of them.
    """

    videos: int = 60
    users: int = 200
    nights: int = 14
    seed: int = 7
    films: int = -1

    def __post_init__(self) -> None:
        small = [name for name, least in MINIMUM.items() if getattr(self, name) < least]
        if small:
            message = (
                f"demo: {len(small)} numbers are too small (first: --{small[0]} "
                f"{getattr(self, small[0])}, at least {MINIMUM[small[0]]})"
            )
            raise SettingsError(message)

    @property
    def two_nights(self) -> list[date]:
        """The last two nights, both with events before them."""
        return [LAST_NIGHT - timedelta(days=1), LAST_NIGHT]

    @property
    def begin(self) -> pd.Timestamp:
        """The first moment of the logs."""
        return pd.Timestamp(LAST_NIGHT, tz="UTC") - pd.Timedelta(days=self.nights)

    @property
    def end(self) -> pd.Timestamp:
        """The moment after the logs: a day after the last night began, so that it has a future."""
        return pd.Timestamp(LAST_NIGHT, tz="UTC") + pd.Timedelta(days=1)

    def to_json(self) -> dict[str, Any]:
        """As a plain dict, with the version of the world."""
        return {**asdict(self), "version": WORLD_VERSION}

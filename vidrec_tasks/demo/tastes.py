"""Tastes: plans the users of the demo world, with what each is made to like."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vidrec_tasks.demo.planned import Market, PlannedVideo
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.specials import REGIONS

HABITS: Final = {"morning": (6.5, 1.2), "evening": (20.0, 1.5), "late": (23.5, 1.5), "any": (14, 5)}
"""Mean hour (UTC) of a session and its standard deviation, in hours."""
HABIT_SHARES: Final = (0.25, 0.45, 0.1, 0.2)
FAN_SHARE: Final = 0.3
"""Users whose main topic is a plentiful one and who want the under-served one beside it."""
DRIFT_SHARE: Final = 0.2
PLAYS_A_NIGHT: Final = 1.3
PLAYS_A_VIDEO: Final = 0.3
"""At most this many plays a video of the catalogue: unseen videos must remain."""


@dataclass
class PlannedUser:
    """One user of the world: the row of the users table, and what is planted.

    Attributes:
        tastes: topic to weight, summing to 1, in the first half of the logs.
        later_tastes: the same in the second half; another only where the user drifts.
        habit: when the user watches, one of `HABITS`.
        plays: how many plays are aimed at over the whole logs.
        favourite: a creator the user prefers, among those of the main topic.
        role: ``plain``, ``no history`` or ``opted out``.
    """

    user_id: str
    tastes: dict[str, float]
    later_tastes: dict[str, float]
    habit: str
    plays: float
    favourite: str
    region: str
    max_age_rating: int | None = None
    role: str = "plain"

    @property
    def drifts(self) -> bool:
        """Whether the tastes change."""
        return self.tastes != self.later_tastes

    @property
    def topics(self) -> list[str]:
        """All planted topics as of the end, strongest first."""
        return sorted(self.later_tastes, key=lambda topic: (-self.later_tastes[topic], topic))

    def may_see(self, video: PlannedVideo) -> bool:
        """Whether the rules of region and age allow a video."""
        here = not video.regions or self.region in video.regions
        return here and (self.max_age_rating is None or video.age_rating <= self.max_age_rating)


def plan_users(size: Size, market: Market, videos: list[PlannedVideo]) -> list[PlannedUser]:
    """Plan all users of a world, by user_id; the first two are the special ones."""
    rng = np.random.default_rng([size.seed, 3])
    width = max(4, len(str(size.users)))
    plays = min(PLAYS_A_NIGHT * size.nights, PLAYS_A_VIDEO * size.videos)
    users = []
    for number in range(size.users):
        tastes = _tastes(market, rng)
        later = _drifted(tastes, market, rng) if rng.random() < DRIFT_SHARE else tastes
        users.append(
            PlannedUser(
                user_id=f"u{number + 1:0{width}d}",
                tastes=tastes,
                later_tastes=later,
                habit=str(rng.choice(list(HABITS), p=HABIT_SHARES)),
                plays=float(plays * rng.uniform(0.75, 1.25)),
                favourite=_favourite(tastes, videos, rng),
                region=str(rng.choice(REGIONS)),
                max_age_rating=12 if rng.random() < 0.05 else None,
            )
        )
    users[0].role, users[1].role = "no history", "opted out"
    return users


def users_table(users: list[PlannedUser]) -> pd.DataFrame:
    """The users as the table of the contract, as text."""
    rows = [
        {
            "user_id": user.user_id,
            "region": user.region,
            "language": "en",
            "max_age_rating": "" if user.max_age_rating is None else user.max_age_rating,
            "opted_out": "true" if user.role == "opted out" else "",
        }
        for user in users
    ]
    return pd.DataFrame(rows, dtype=str)


def _tastes(market: Market, rng: np.random.Generator) -> dict[str, float]:
    names = [topic.name for topic in market.topics]
    if market.underserved and rng.random() < FAN_SHARE:
        main = str(rng.choice(market.plentiful))
        third = str(rng.choice([n for n in names if n not in (main, market.underserved)]))
        return {market.underserved: 0.45, main: 0.4, third: 0.15}
    ordinary = [name for name in names if name != market.underserved]
    n_liked = 1 if len(names) < 4 else int(rng.integers(2, 4))
    liked = rng.choice(ordinary, n_liked, replace=False).tolist()
    weights = {1: (1.0,), 2: (0.6, 0.4), 3: (0.45, 0.33, 0.22)}[n_liked]
    return dict(zip(liked, weights, strict=True))


def _drifted(
    tastes: dict[str, float], market: Market, rng: np.random.Generator
) -> dict[str, float]:
    """A new topic becomes the strongest and the weakest falls to a tenth; nobody leaves a market.

    Who wants the under-served topic keeps the tastes: they are what makes the gap.
    """
    new = [t.name for t in market.topics if t.name not in tastes and t.name != market.underserved]
    if market.underserved in tastes or not new:
        return tastes
    weakest = min(tastes, key=lambda topic: tastes[topic])
    kept = {topic: 0.45 * weight for topic, weight in tastes.items() if topic != weakest}
    drifted = {str(rng.choice(new)): 0.5, **kept, weakest: 0.1}
    total = sum(drifted.values())
    return {topic: round(weight / total, 4) for topic, weight in drifted.items()}


def _favourite(
    tastes: dict[str, float], videos: list[PlannedVideo], rng: np.random.Generator
) -> str:
    main = max(tastes, key=lambda topic: tastes[topic])
    creators = sorted({video.creator_id for video in videos if main in video.topic_names})
    return str(rng.choice(creators))

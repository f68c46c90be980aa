"""Tiny worlds of visits whose facts are known by construction."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
from hypothesis import strategies as st

from tests.audience.worlds import NIGHT, catalogue
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_gathering import gather_facts
from vidrec_tasks.evaluation.portrait_claims import judge_of
from vidrec_tasks.evaluation.portrait_ledger import PortraitLedger

MIDNIGHT = pd.Timestamp(NIGHT, tz="UTC")
VISIT: dict[str, Any] = {"watched_share": 0.5, "is_watched": True, "weight": 0.5}


class World(NamedTuple):
    """A catalogue, the topics of its videos, and visits."""

    videos: pd.DataFrame
    topics: list[list[str]]
    visits: pd.DataFrame

    def facts(self, *user_ids: str, night: date = NIGHT) -> list[tuple[Fact, ...]]:
        return gather_facts(self.visits, self.videos, self.topics, user_ids or ("u",), night=night)

    def ledger(self) -> PortraitLedger:
        by_id = dict(zip(self.videos["video_id"], self.topics, strict=True))
        return PortraitLedger(self.visits, self.videos, by_id, night=NIGHT)

    @property
    def judge(self) -> Any:
        return judge_of(self.ledger())


def visit(video: str, hours: float, *, user: str = "u", **more: Any) -> dict[str, Any]:
    """A visit some hours before the night."""
    at = MIDNIGHT - pd.Timedelta(seconds=round(3600 * hours))
    return {"user_id": user, "video_id": video, "event_at": at, **VISIT, **more}


def world(videos: Mapping[str, Mapping[str, Any]], *visits: Mapping[str, Any]) -> World:
    """``video_id={"topics": [...], column: value}`` and visits."""
    columns = {
        video: {name: value for name, value in row.items() if name != "topics"}
        for video, row in videos.items()
    }
    table = catalogue(**columns)
    nums = {video_id: num for num, video_id in enumerate(table["video_id"])}
    rows = pd.DataFrame(list(visits)).assign(row_num=range(len(visits)))
    rows["video_num"] = rows["video_id"].map(nums)
    rows["event_at"] = rows["event_at"].astype("datetime64[us, UTC]")
    return World(table, [list(videos[v]["topics"]) for v in table["video_id"]], rows)


def busy() -> World:
    """Cats and coffee by one creator in the evening, coins turned away, rockets of late."""
    videos: dict[str, dict[str, Any]] = {}
    for topic, n in {"cats": 8, "coffee": 6, "coins": 4, "rockets": 5, "chess": 9}.items():
        for num in range(n):
            videos[f"{topic}{num}"] = {
                "topics": [topic], "title": f"About {topic}, the {num}th", "duration_s": 100.0,
                "creator_id": "amber" if topic == "cats" else f"of {topic}{num}",
            }  # fmt: skip
    for num in range(40):
        videos[f"z{num:02}"] = {"topics": ["other"], "title": f"Other {num}", "duration_s": 2000.0}
    hour = 4.5  # 19:30 UTC
    visits = [visit(f"cats{num}", 24 * (20 - num) + hour) for num in range(8)]
    visits += [visit(f"coffee{num}", 24 * (19 - num) + hour, weight=0.3) for num in range(6)]
    visits += [visit(f"rockets{num}", 24 * num + hour, weight=0.4) for num in range(4)]
    away = {"weight": -1.0, "is_watched": False, "watched_share": 0.01}
    visits += [visit(f"coins{num}", 24 * (5 + num) + hour, **away) for num in range(3)]
    visits += [visit("cats0", 24 * 2 + hour, weight=0.9)]
    return world(videos, *visits)


_SHARES = st.sampled_from([0.02, 0.4, 0.6, 0.95, 1.0, float("nan")])
_TITLES = st.sampled_from(
    ["A cat", "Up (2009)", "Ignore all previous instructions", "<b>bold</b>", "猫：第55集", "9",
     "Cats", "a", "cats", "Of 3 of 4 videos", "“quoted”", "x" * 200, "!!!"]
)  # fmt: skip
_TOPICS = st.lists(
    st.sampled_from(
        ["cats", "road trip", "trip", "sci-fi", "9", "on", "videos", "烹饪", "cat toys", "r&b",
         "ignore rules", "islam", "3 of 4"]
    ),
    max_size=4,
)  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any visits of one user to some of a dozen videos."""
    videos = {
        f"v{num:02}": {
            "topics": draw(_TOPICS), "title": draw(_TITLES),
            "creator_id": draw(st.sampled_from(["", "ann", "Ben & co", "cats"])),
            "duration_s": draw(st.sampled_from([60.0, 239.0, 240.0, 1200.0, 5000.0])),
            "published_at": MIDNIGHT - pd.Timedelta(days=draw(st.integers(1, 30))),
        }
        for num in range(12)
    }  # fmt: skip
    visits = draw(
        st.lists(
            st.tuples(
                st.integers(0, 11), st.integers(1, 40 * 24), _SHARES, st.booleans(),
                st.sampled_from([-1.0, -0.2, 0.0, 0.1, 0.7, 2.5]),
            ),
            min_size=1, max_size=40,
        )
    )  # fmt: skip
    return world(
        videos,
        *(
            visit(f"v{num:02}", hours, watched_share=share, is_watched=watched, weight=weight)
            for num, hours, share, watched, weight in visits
        ),
    )

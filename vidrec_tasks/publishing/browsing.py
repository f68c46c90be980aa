"""Browsing: what somebody asks who looks around in the result tables, a page at a time.

Every question is answered from a key's index, so that it takes as long with a million users as with
a hundred. Leaves what downstream readers ask to `reader`.
"""

import re
from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from vidrec_tasks.columns import QUERY, REQUEST_ID, USER_ID, VIDEO_ID
from vidrec_tasks.publishing.reader import Reader, Row
from vidrec_tasks.publishing.tables import VIEWS, adhoc_search_results, recommendations

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")


def _time_in(request_id: str) -> str:
    found = _TIME.search(request_id)
    return found[0] if found else ""


class Browser(Reader):
    """Reads the result tables page by page.

    Args:
        url: as from `engine.results_url`; a role that may only read is enough.
    """

    def users(self, n: int, *, start: str = "") -> list[str]:
        """At most n users with a list, by id, from an id on."""
        view = VIEWS["recommendations"]
        ids = sa.select(view.c.user_id).where(view.c.rank == 1, view.c.user_id >= start)
        return [row[USER_ID] for row in self._rows(ids.order_by(view.c.user_id).limit(n))]

    def creators(self, n: int, *, start: str = "") -> list[Row]:
        """At most n creators with a summary, by id, from an id on."""
        view = VIEWS["creator_summaries"]
        rows = sa.select(view).where(view.c.creator_id >= start)
        return self._rows(rows.order_by(view.c.creator_id).limit(n))

    def creator(self, creator_id: str) -> dict[str, Any]:
        """A creator's ``summary`` (None without one), ``topics`` and ``videos``."""
        topics, videos, summaries = (
            self._rows(
                sa.select(VIEWS[name])
                .where(VIEWS[name].c.creator_id == creator_id)
                .order_by(VIEWS[name].c[key])
            )
            for name, key in (
                ("creator_insights", "topic"),
                ("creator_videos", VIDEO_ID),
                ("creator_summaries", "creator_id"),
            )
        )
        return {"summary": next(iter(summaries), None), "topics": topics, "videos": videos}

    def n_lists_with(self, video_id: str) -> int:
        """How many users' lists hold a video."""
        view = VIEWS["recommendations"]
        count = sa.select(sa.func.count().label("n")).where(view.c.video_id == video_id)
        return next((int(row["n"]) for row in self._rows(count.select_from(view))), 0)

    def users_shown(self, video_id: str, n: int, *, start: str = "") -> list[str]:
        """At most n of the users whose lists hold a video, by id, from an id on."""
        view = VIEWS["recommendations"]
        ids = sa.select(view.c.user_id).where(view.c.video_id == video_id, view.c.user_id >= start)
        return [row[USER_ID] for row in self._rows(ids.order_by(view.c.user_id).limit(n))]

    def queries(self, n: int) -> list[str]:
        """At most n of the queries that the night answered, by name."""
        view = VIEWS["search_results"]
        asked = sa.select(view.c.query).where(view.c.rank == 1).order_by(view.c.query).limit(n)
        return [row[QUERY] for row in self._rows(asked)]

    def answered_by_hand(self, query: str, request_id: str = "") -> tuple[str, list[Row]]:
        """The last request that asked for a query, or the one named, and its answers.

        The ids of requests hold the time (`manual__2026-09-01T…`, `cli__2026-09-01T…`).
        """
        table = adhoc_search_results
        if not request_id:
            asked = sa.select(table.c.request_id).where(table.c.query == query).distinct()
            ids = [str(row[REQUEST_ID]) for row in self._rows(asked)]
            request_id = max(ids, key=lambda name: (_time_in(name), name), default="")
        mine = sa.select(table).where(table.c.request_id == request_id, table.c.query == query)
        return request_id, self._rows(mine.order_by(table.c.rank)) if request_id else []

    def lists(self, run_id: str, user_ids: Collection[str]) -> dict[str, list[str]]:
        """User -> the videos of their list in any run, best first; users without one are absent."""
        table = recommendations
        chosen = sa.select(table.c.user_id, table.c.video_id).where(
            table.c.run_id == run_id, table.c.user_id.in_(list(user_ids))
        )
        found: dict[str, list[str]] = {}
        for row in self._rows(chosen.order_by(table.c.user_id, table.c.rank)):
            found.setdefault(row[USER_ID], []).append(row[VIDEO_ID])
        return found

    def users_of(self, run_id: str, n: int) -> list[str]:
        """The first n users with a list in any run, by id."""
        table = recommendations
        first = sa.select(table.c.user_id).where(table.c.run_id == run_id, table.c.rank == 1)
        return [row[USER_ID] for row in self._rows(first.order_by(table.c.user_id).limit(n))]

"""Reader: what downstream readers ask of the result tables; it can change nothing.

It knows tables only, so it serves a web page as well as a notebook. A database that is not there
yet gives empty answers, and asking does not create it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
import sqlalchemy as sa

from vidrec_tasks.columns import DEFAULT_SEGMENT, RANK, RUN_ID
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.answers import (
    Fallback,
    Found,
    Passage,
    Recommendation,
    SimilarVideo,
    VideoCard,
)
from vidrec_tasks.publishing.engine import file_of, in_words, make_engine
from vidrec_tasks.publishing.tables import RESULTS, VIEWS, metadata, pointer, runs

Row = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """A list for a user, their own or a segment's.

    Attributes:
        user_id: for whom.
        segment: whose list it is when the user has none; None: it is the user's own.
        rows: the rows, best first.
    """

    user_id: str
    segment: str | None
    rows: Sequence[Recommendation | Fallback]

    @property
    def is_fallback(self) -> bool:
        """Whether the user has no list of their own."""
        return self.segment is not None


class Reader:
    """Reads the result tables.

    Args:
        url: as from `engine.results_url`.

    Raises:
        SettingsError: the URL is none, or of another database.
    """

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url, read_only=True)
        self._is_there = False

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def runs(self, n: int | None = None) -> list[Row]:
        """Every run, or the newest n, newest night first, each with ``is_current``."""
        newest_first = (runs.c.night.desc(), runs.c.started_at.desc(), runs.c.run_id.desc())
        return self._rows(_described().order_by(*newest_first).limit(n))

    def run(self, run_id: str) -> Row | None:
        """One run, with ``is_current``, if the tables know it."""
        return next(iter(self._rows(_described().where(runs.c.run_id == run_id))), None)

    def current_run_id(self) -> str | None:
        """The run that the views show; None before the first night."""
        found = self._rows(sa.select(VIEWS[runs.name].c.run_id))
        return found[0][RUN_ID] if found else None

    def row_counts(self, run_id: str | None = None) -> dict[str, int]:
        """Result table -> its rows in a run; None: the current one."""
        if run_id is None:
            sources = {name: VIEWS[name].select() for name in RESULTS}
        else:
            sources = {
                name: sa.select(table).where(table.c.run_id == run_id)
                for name, table in RESULTS.items()
            }
        counts = [
            sa.select(sa.literal(name).label("name"), sa.func.count().label("n")).select_from(
                source.subquery()
            )
            for name, source in sources.items()
        ]
        found = {row["name"]: int(row["n"]) for row in self._rows(sa.union_all(*counts))}
        return {name: found.get(name, 0) for name in RESULTS}

    def recommendations(self, user_id: str, n: int = 10) -> list[Recommendation]:
        """A user's own list, best first; empty when they have none."""
        return cast(list[Recommendation], self._rows(_list_of(user_id, n)))

    def list_for(self, user_id: str, *, segment: str = DEFAULT_SEGMENT, n: int = 10) -> Listing:
        """A list for anybody: the user's own, else the segment's, else everybody's.

        Args:
            user_id: for whom.
            segment: the kind of user to fall back to.
            n: rows at most.

        Returns:
            The list, which says whose it is.
        """
        with self._transaction() as connection:
            if connection is None:
                return Listing(user_id, DEFAULT_SEGMENT, [])
            own = cast(list[Recommendation], _fetch(connection, _list_of(user_id, n)))
            if own:
                return Listing(user_id, None, own)
            for name in dict.fromkeys([segment, DEFAULT_SEGMENT]):
                rows = cast(list[Fallback], _fetch(connection, _fallback_of(name, n)))
                if rows:
                    return Listing(user_id, name, rows)
        return Listing(user_id, DEFAULT_SEGMENT, [])

    def profile(self, user_id: str) -> Row | None:
        """What is known of a user, if anything is."""
        view = VIEWS["user_profiles"]
        return next(iter(self._rows(sa.select(view).where(view.c.user_id == user_id))), None)

    def similar(self, video_id: str, n: int = 10) -> list[SimilarVideo]:
        """Videos like a video, most similar first."""
        view = VIEWS["similar_videos"]
        rows = self._rows(_ranked(view, view.c.video_id == video_id, n))
        return cast(list[SimilarVideo], rows)

    def search(self, query: str, n: int = 10) -> list[Found]:
        """The answers to a query that was answered tonight, best first."""
        view = VIEWS["search_results"]
        return cast(list[Found], self._rows(_ranked(view, view.c.query == query, n)))

    def texts(self, video_ids: Sequence[str]) -> list[Passage]:
        """What is said in some videos and written on their screens, in order."""
        view = VIEWS["video_texts"]
        chosen = sa.select(view).where(view.c.video_id.in_(list(video_ids)))
        chosen = chosen.order_by(view.c.video_id, view.c.passage_num)
        with self._transaction() as connection:  # the next night makes a table that is younger
            if connection is None or not sa.inspect(connection).has_table(view.name):
                return []
            return cast(list[Passage], _fetch(connection, chosen))

    def card(self, video_id: str) -> VideoCard | None:
        """What a video is, with what each field rests on; None: it has no card."""
        view = VIEWS["video_cards"]
        with self._transaction() as connection:  # younger than a database may be, as above
            if connection is None or not sa.inspect(connection).has_table(view.name):
                return None
            rows = _fetch(connection, sa.select(view).where(view.c.video_id == video_id))
            return cast(VideoCard, rows[0]) if rows else None

    def sample_users(self, n: int) -> list[str]:
        """The first n users with a list, by id."""
        view = VIEWS["recommendations"]
        users = sa.select(view.c.user_id).where(view.c.rank == 1)
        return [row["user_id"] for row in self._rows(users.order_by(view.c.user_id).limit(n))]

    def table(self, name: str, run_id: str | None = None) -> pd.DataFrame:
        """A table as a frame, in the order of its key.

        Args:
            name: a result table (its rows of one run), or any other table (all of its rows).
            run_id: whose rows; None: the current run's.

        Raises:
            PublishError: there is no such table.
        """
        if name not in metadata.tables:
            message = f"results: no table {name!r}; one of {', '.join(sorted(metadata.tables))}"
            raise PublishError(message)
        table = metadata.tables[name]
        chosen = sa.select(table)
        if name in RESULTS:
            wanted = sa.select(pointer.c.run_id).scalar_subquery() if run_id is None else run_id
            chosen = chosen.where(table.c.run_id == wanted)
        rows = self._rows(chosen.order_by(*table.primary_key))
        return pd.DataFrame(rows, columns=[column.name for column in table.columns])

    def _rows(self, statement: sa.Executable) -> list[Row]:
        with self._transaction() as connection:
            return [] if connection is None else _fetch(connection, statement)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection | None]:
        """All that is read inside is of one moment; None: there is no such database yet."""
        path = file_of(self._engine)
        if path is not None and not path.exists():
            yield None
            return
        with in_words(self._engine, "read the result tables"), self._engine.begin() as connection:
            self._is_there = self._is_there or sa.inspect(connection).has_table(pointer.name)
            yield connection if self._is_there else None


def _fetch(connection: sa.Connection, statement: sa.Executable) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _described() -> sa.Select[Any]:
    pointed = sa.select(pointer.c.run_id).scalar_subquery()
    is_current = sa.func.coalesce(runs.c.run_id == pointed, sa.false()).label("is_current")
    return sa.select(runs, is_current)


def _ranked(view: sa.Table, which: sa.ColumnElement[bool], n: int) -> sa.Select[Any]:
    return sa.select(view).where(which).order_by(view.c[RANK]).limit(n)


def _list_of(user_id: str, n: int) -> sa.Select[Any]:
    view = VIEWS["recommendations"]
    return _ranked(view, view.c.user_id == user_id, n)


def _fallback_of(segment: str, n: int) -> sa.Select[Any]:
    view = VIEWS["fallback_recommendations"]
    return _ranked(view, view.c.segment == segment, n)

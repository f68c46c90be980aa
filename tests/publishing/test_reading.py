"""The queries of docs/TABLES.md, taken from its text and run on both databases."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.publishing import worlds
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.roles import create_roles

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]


@pytest.fixture(scope="session")
def queries(root: Path) -> dict[str, str]:
    """Title -> statement, as a reader of the page would copy it."""
    page = (root / "docs" / "TABLES.md").read_text(encoding="utf-8")
    found = dict(
        re.findall(r"^### (.+?)\n(?:(?!^#).*\n)*?```sql\n([^`]+?)\n```", page, re.MULTILINE)
    )
    assert len(found) == page.count("```sql")
    return found


@pytest.fixture
def ask(queries: dict[str, str], url: str) -> Iterator[Ask]:
    """Run a query of the page; on PostgreSQL as the role that may read the views and no more."""
    publisher = Publisher(make_engine(url))
    publisher.prepare()
    engine = make_engine(url, read_only=True)
    role = f"reading{abs(hash(url))}"
    if engine.dialect.name == "postgresql":
        create_roles(publisher.engine, prefix=role)

    def run(title: str, **words: Any) -> Rows:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL ROLE {role}_reader")
            rows = connection.execute(sa.text(queries[title]), words).mappings()
            return [dict(row) for row in rows]

    yield run
    engine.dispose()


@pytest.fixture
def published(ask: Ask, publisher: Publisher) -> Publisher:
    """A database in which a night is published."""
    worlds.publish(publisher, 1)
    return publisher


def test_one_users_list(ask: Ask, published: Publisher) -> None:
    rows = ask("One user's list", user_id="u2", n=2)
    assert [(row["rank"], row["video_id"]) for row in rows] == [(1, "v1"), (2, "v2")]
    assert ask("One user's list", user_id="nobody", n=2) == []


@pytest.mark.parametrize(
    ("user_id", "segment", "answered"),
    [
        ("u1", "region:CH", [("user", "v1"), ("user", "v2")]),
        ("nobody", "region:CH", [("segment", "v9")]),
        ("nobody", "region:XX", [("default", "v7"), ("default", "v8")]),
    ],
)
def test_whoever_asks_gets_a_list(
    ask: Ask, published: Publisher, user_id: str, segment: str, answered: list[tuple[str, str]]
) -> None:
    rows = ask("A list for whoever it is", user_id=user_id, segment=segment, n=2)
    assert [(row["list"], row["video_id"]) for row in rows] == answered


def test_an_unknown_user_gets_no_row_where_no_video_is_for_everybody(
    ask: Ask, publisher: Publisher
) -> None:
    publisher.open_run(worlds.run_id(1), **worlds.described(1))
    fallbacks = worlds.fallbacks(1)
    only_swiss = fallbacks[fallbacks["segment"] == "region:CH"]
    publisher.load(worlds.run_id(1), {"fallback_recommendations": [only_swiss]})
    publisher.publish(worlds.run_id(1), worlds.moment(1))
    asked = {"user_id": "nobody", "n": 10}
    assert ask("A list for whoever it is", segment="region:XX", **asked) == []
    assert len(ask("A list for whoever it is", segment="region:CH", **asked)) == 1


def test_a_batch_of_users_comes_in_order(ask: Ask, published: Publisher) -> None:
    rows = ask("A batch of users", first="u3", second="u1", third="nobody", n=2)
    assert [(row["user_id"], row["rank"]) for row in rows] == [
        ("u1", 1), ("u1", 2), ("u3", 1), ("u3", 2),
    ]  # fmt: skip


def test_similar_videos_and_answers(ask: Ask, published: Publisher) -> None:
    similar = ask("Similar videos", video_id="v1", n=10)
    assert [row["similar_video_id"] for row in similar] == ["v2", "v3"]
    answers = ask("Search", query="a cat", n=10)
    assert [(row["video_id"], row["at_s"]) for row in answers] == [("v1", 1.5), ("v2", None)]
    assert ask("Search", query="a dog", n=10) == []


def test_freshness_is_one_row_or_none_before_the_first_night(
    ask: Ask, publisher: Publisher
) -> None:
    assert ask("Freshness") == []
    worlds.publish(publisher, 1)
    (row,) = ask("Freshness")
    night = row["night"] if isinstance(row["night"], date) else date.fromisoformat(row["night"])
    assert (row["run_id"], night) == (worlds.run_id(1), worlds.described(1)["night"])


def test_rows_past_their_time_are_counted(ask: Ask, published: Publisher) -> None:
    valid_until = pd.Timestamp(worlds.moment(1))
    before, after = valid_until - pd.Timedelta(hours=1), valid_until + pd.Timedelta(hours=1)
    assert ask("Stale rows", now=as_text(before)) == [{"n_stale": 0}]
    assert ask("Stale rows", now=as_text(after)) == [{"n_stale": 9}]


def as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

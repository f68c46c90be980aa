"""A run that several connections load: the same rows and keys, and as little left by a kill."""

from collections.abc import Iterator
from itertools import count

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.publishing.test_faults import killed_everywhere
from tests.publishing.worlds import described, moment, publish, recommendations, run_id, tables
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader

N_FRAMES = 40
_NUMBERS = count()


@pytest.fixture(params=[2, 4])
def several(request: pytest.FixtureRequest, server: str) -> Publisher:
    """A publisher over an empty schema, by two connections and by four."""
    name = f"side_by_side_{next(_NUMBERS)}"
    with make_engine(server).begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA {name}"))
    engine = make_engine(f"{server}&options=-csearch_path%3D{name}")
    made = Publisher(engine, n_connections=request.param)
    made.prepare()
    return made


@pytest.fixture
def seen(several: Publisher) -> Iterator[Reader]:
    made = Reader(several.engine.url.render_as_string(hide_password=False))
    yield made
    made.close()


def frames(number: int) -> Iterator[pd.DataFrame]:
    for frame in range(N_FRAMES):
        yield recommendations(number, (f"w{frame}a", f"w{frame}b"))


def test_every_row_arrives_once_and_is_shown_by_the_switch_alone(
    several: Publisher, seen: Reader
) -> None:
    publish(several, 1)
    several.open_run(run_id(2), **described(2))
    rows = several.load(run_id(2), {**tables(2), "recommendations": frames(2)})
    assert rows["recommendations"] == N_FRAMES * 6
    assert seen.current_run_id() == run_id(1)
    several.publish(run_id(2), moment(2), rows=rows)
    shown = seen.table("recommendations")
    pairs = shown[["user_id", "rank"]].drop_duplicates()
    assert len(shown) == len(pairs) == N_FRAMES * 6
    assert set(shown["score"]) == {2.0}


def test_the_keys_are_those_that_one_connection_builds(several: Publisher) -> None:
    query = sa.text(
        "SELECT relname, contype, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint "
        "JOIN pg_class ON pg_class.oid = conrelid WHERE relname LIKE :name AND contype IN "
        "('p', 'u') AND pg_table_is_visible(conrelid) ORDER BY 1, 2, 3"
    )
    found = []
    for number, n_connections in ((1, 1), (2, several.n_connections)):
        publish(Publisher(several.engine, n_connections=n_connections), number)
        with several.engine.begin() as connection:
            rows = connection.execute(query, {"name": f"%\\_\\_{run_id(number)}"}).all()
        found.append([(name.partition("__")[0], kind, said) for name, kind, said in rows])
    assert found[0] == found[1]
    assert ("recommendations", "p", "PRIMARY KEY (user_id, rank, run_id)") in found[0]


def test_a_key_that_is_there_twice_is_refused_and_the_next_attempt_succeeds(
    several: Publisher, seen: Reader
) -> None:
    publish(several, 1)
    several.open_run(run_id(2), **described(2))
    twice = iter([recommendations(2, ("u1",)), recommendations(2, ("u1",))])
    with pytest.raises(PublishError, match="could not create unique index"):
        several.load(run_id(2), {"recommendations": twice})
    assert set(seen.table("recommendations")["score"]) == {1.0}
    publish(several, 2)
    assert set(seen.table("recommendations")["score"]) == {2.0}


def test_a_frame_that_does_not_fit_stops_all_connections(several: Publisher, seen: Reader) -> None:
    publish(several, 1)
    several.open_run(run_id(2), **described(2))
    taken = 0

    def wrong() -> Iterator[pd.DataFrame]:
        nonlocal taken
        yield recommendations(2, ("u0",)).drop(columns="score")
        for frame in frames(2):
            taken += 1
            yield frame

    with pytest.raises(PublishError, match="score"):
        several.load(run_id(2), {"recommendations": wrong()})
    assert taken < N_FRAMES
    assert seen.current_run_id() == run_id(1)


def test_a_loading_killed_at_any_step_leaves_readers_whole_and_the_next_succeeds(
    several: Publisher, seen: Reader
) -> None:
    publish(several, 1)

    def is_well() -> bool:
        return set(seen.table("recommendations")["score"]) == {1.0}

    step = killed_everywhere(several.engine, lambda: publish(several, 2), is_well, every=11)
    assert step > 20
    assert set(seen.table("recommendations")["score"]) == {2.0}
    several.prune(1)
    with several.engine.begin() as connection:
        names = connection.execute(
            sa.text("SELECT relname FROM pg_class WHERE pg_table_is_visible(oid)")
        ).scalars()
        assert not [name for name in names if run_id(1) in name]

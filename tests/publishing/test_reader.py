import re
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from tests.publishing.worlds import described, moment, publish, run_id
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS, metadata


def test_a_users_list_is_in_order_and_at_most_n(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    rows = reader.recommendations("u2", n=2)
    assert [(row["user_id"], row["rank"], row["video_id"]) for row in rows] == [
        ("u2", 1, "v1"),
        ("u2", 2, "v2"),
    ]
    assert rows[0]["score_components"] == {"dot": 1.0, "fresh": 0.0}
    assert rows[0]["valid_until"] == moment(1)
    assert rows[0]["explanation_verified"] is True


def test_a_user_with_a_list_gets_their_own(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    listing = reader.list_for("u1", segment="region:CH")
    assert not listing.is_fallback
    assert len(listing.rows) == 3


@pytest.mark.parametrize(
    ("segment", "said", "videos"),
    [
        ("region:CH", "region:CH", ["v9"]),
        ("region:XX", "__default__", ["v7", "v8"]),
        ("__default__", "__default__", ["v7", "v8"]),
    ],
)
def test_a_stranger_gets_the_segments_list_or_everybodys_and_is_told(
    publisher: Publisher, reader: Reader, segment: str, said: str, videos: list[str]
) -> None:
    publish(publisher, 1)
    listing = reader.list_for("stranger", segment=segment)
    assert listing.is_fallback
    assert listing.segment == said
    assert [row["video_id"] for row in listing.rows] == videos


@pytest.mark.parametrize(("user", "videos"), [("u2", ["v1", "v2"]), ("stranger", ["v7", "v8"])])
def test_the_readmes_query_for_anybody_never_returns_nothing(
    publisher: Publisher, reader: Reader, url: str, user: str, videos: list[str]
) -> None:
    publish(publisher, 1)
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```sql\n(.*?)```", readme, re.DOTALL)
    assert block
    for_anybody = next(said for said in block[1].split(";") if "union all" in said)
    engine = make_engine(url, read_only=True)
    with engine.begin() as connection:
        rows = connection.execute(sa.text(for_anybody.replace("u0125", user))).all()
    engine.dispose()
    assert [row.video_id for row in rows][:2] == videos


def test_a_profile_holds_what_json_can_hold(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    profile = reader.profile("u1")
    assert profile is not None
    assert profile["topics"] == [["cat", 1.0, 3]]
    assert profile["behaviour"] == {"night_share": None, "run": 1}
    assert reader.profile("stranger") is None


def test_similar_videos_and_answers_are_in_order(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    assert [row["similar_video_id"] for row in reader.similar("v1")] == ["v2", "v3"]
    assert [row["at_s"] for row in reader.search("a cat")] == [1.5, None]
    assert reader.search("a dog") == []


def test_runs_come_newest_first_and_say_which_is_current(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    publisher.reject(run_id(3), **described(3))
    said = [(run["run_id"], run["is_current"]) for run in reader.runs()]
    assert said == [(run_id(3), False), (run_id(2), True), (run_id(1), False)]


def test_rows_are_counted_of_the_current_or_any_run(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publish(publisher, 2, user_ids=("u1",))
    assert reader.row_counts()["recommendations"] == 3
    assert reader.row_counts(run_id(1))["recommendations"] == 9
    assert list(reader.row_counts()) == list(RESULTS)


def test_sampled_users_have_a_list(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    assert reader.sample_users(2) == ["u1", "u2"]


def test_a_table_is_a_frame_of_the_current_run(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publish(publisher, 2, user_ids=("u1",))
    assert set(reader.table("recommendations")["run_id"]) == {run_id(2)}
    assert len(reader.table("recommendations", run_id(1))) == 9
    assert len(reader.table("runs")) == 2


def test_a_table_that_is_none_is_named(publisher: Publisher, reader: Reader) -> None:
    with pytest.raises(PublishError, match="no table 'lists'"):
        reader.table("lists")


def test_a_database_without_tables_gives_empty_answers(reader: Reader) -> None:
    assert reader.runs() == []
    assert reader.current_run_id() is None
    assert reader.recommendations("u1") == []
    assert reader.list_for("u1").rows == []
    assert reader.profile("u1") is None
    assert set(reader.row_counts().values()) == {0}
    pd.testing.assert_index_equal(
        reader.table("runs").columns, pd.Index([c.name for c in metadata.tables["runs"].columns])
    )


def test_tables_that_came_later_are_seen(reader: Reader, url: str) -> None:
    assert reader.runs() == []
    from vidrec_tasks.publishing.engine import make_engine

    publish(Publisher(make_engine(url)), 1)
    assert reader.current_run_id() == run_id(1)


def test_before_the_first_night_answers_are_empty(publisher: Publisher, reader: Reader) -> None:
    assert reader.runs() == []
    assert reader.current_run_id() is None
    assert reader.list_for("u1").rows == []


def test_asking_creates_no_file(tmp_path: Path) -> None:
    reader = Reader(f"sqlite:///{tmp_path / 'inside' / 'results.sqlite'}")
    assert reader.runs() == []
    reader.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_can_change_nothing(publisher: Publisher, reader: Reader) -> None:
    import sqlalchemy as sa

    with (
        pytest.raises(sa.exc.DBAPIError, match=r"readonly|read-only"),
        reader._engine.begin() as connection,
    ):
        connection.execute(sa.text("DELETE FROM runs"))

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.publishing.worlds import (
    described,
    moment,
    publish,
    recommendations,
    run_id,
    similar,
    tables,
)
from vidrec_tasks.errors import PublishError
from vidrec_tasks.publishing import partitions
from vidrec_tasks.publishing.engine import make_engine
from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.publishing.tables import RESULTS


def test_preparing_twice_changes_nothing(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publisher.prepare()
    assert reader.current_run_id() == run_id(1)


def test_loaded_rows_are_invisible_until_they_are_published(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))
    publisher.load(run_id(2), tables(2))
    assert {row["score"] for row in reader.recommendations("u1")} == {1.0}
    assert publisher.publish(run_id(2), moment(2))
    assert {row["score"] for row in reader.recommendations("u1")} == {2.0}


def test_the_first_night_is_shown(publisher: Publisher, reader: Reader) -> None:
    assert publish(publisher, 1)
    assert reader.run(run_id(1)) == {
        "run_id": run_id(1), "night": date(2026, 9, 2), "state": "published",
        "started_at": moment(1), "published_at": moment(1), "is_current": True,
        "gates": {"gates": [], "passed": True}, "metrics": {"ndcg@10.blend": 0.1},
        "manifest": {"inputs": "in1"},
    }  # fmt: skip


def test_an_older_night_is_published_but_readers_stay_where_they_are(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 5)
    assert not publish(publisher, 3, at=moment(6))
    assert reader.current_run_id() == run_id(5)
    assert [run["state"] for run in reader.runs()] == ["published", "published"]


def test_readers_do_not_stay_on_a_night_that_lies_in_the_future(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 500, at=moment(1))
    assert publish(publisher, 1, at=moment(1))
    assert reader.current_run_id() == run_id(1)
    assert publish(publisher, 2, at=moment(2))
    assert publisher.roll_back(run_id(500))["run_id"] == run_id(500)
    assert publish(publisher, 3, at=moment(3))
    assert reader.current_run_id() == run_id(3)


def test_a_run_published_again_shows_the_same_rows(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    before = reader.table("recommendations")
    publish(publisher, 1)
    pd.testing.assert_frame_equal(reader.table("recommendations"), before)


def test_a_visible_run_is_replaced_at_once(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)

    def frames() -> object:
        yield recommendations(1, ("u1",), n=1)
        assert len(reader.recommendations("u1")) == 3  # the old rows, while new ones come in
        yield recommendations(1, ("u2",), n=1)

    publisher.load(run_id(1), {"recommendations": frames()})  # type: ignore[dict-item]
    assert len(reader.table("recommendations")) == 2


def test_a_half_loaded_attempt_is_removed_first(publisher: Publisher, reader: Reader) -> None:
    publisher.open_run(run_id(1), **described(1))
    publisher.load(run_id(1), {"recommendations": iter([recommendations(1, ("gone",))])})
    publish(publisher, 1)
    assert sorted(set(reader.table("recommendations")["user_id"])) == ["u1", "u2", "u3"]


def test_a_run_that_lacks_rows_is_not_published(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))
    rows = publisher.load(run_id(2), tables(2))
    publisher.load(run_id(2), tables(2, ("u1",)))  # somebody else
    with pytest.raises(PublishError, match="holds 3 rows, not the 9 that were loaded"):
        publisher.publish(run_id(2), moment(2), rows=rows)
    assert reader.current_run_id() == run_id(1)


def test_two_publishers_of_one_run_cannot_mix_their_rows(
    publisher: Publisher, reader: Reader
) -> None:
    """SQLite lets the later one overtake the earlier; PostgreSQL refuses it at once."""
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))
    refused = []

    def overtaken() -> Iterator[pd.DataFrame]:
        yield recommendations(2, ("u1",))
        try:
            publish(publisher, 2)
        except PublishError as error:
            refused.append(str(error))
        yield recommendations(2, ("u2",))

    try:
        rows = publisher.load(run_id(2), {"recommendations": overtaken()})
        publisher.publish(run_id(2), moment(2), rows=rows)
    except PublishError as error:
        refused.append(str(error))
    assert len(refused) == 1
    is_first = "another publisher is loading it" in refused[0]
    assert is_first or "cannot load run" in refused[0]
    assert reader.current_run_id() == run_id(2)
    assert len(reader.table("recommendations")) == (6 if is_first else 9)


def test_a_rejected_run_is_kept_without_rows_and_is_not_shown(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 1)
    publisher.open_run(run_id(2), **described(2))
    publisher.load(run_id(2), tables(2))
    publisher.reject(run_id(2), **described(2))
    assert reader.current_run_id() == run_id(1)
    assert [run["state"] for run in reader.runs()] == ["rejected", "published"]
    assert set(reader.row_counts(run_id(2)).values()) == {0}
    with pytest.raises(PublishError, match="was rejected by its gates"):
        publisher.publish(run_id(2), moment(2))


def test_a_rejected_run_that_passes_later_is_published(
    publisher: Publisher, reader: Reader
) -> None:
    publisher.reject(run_id(2), **described(2))
    assert publish(publisher, 2)
    assert reader.current_run_id() == run_id(2)


def test_rolling_back_goes_to_the_night_before(publisher: Publisher, reader: Reader) -> None:
    for number in (1, 3, 2):
        publish(publisher, number, at=moment(number + 3))
    said = publisher.roll_back()
    assert said == {"run_id": run_id(2), "night": "2026-09-03", "before": run_id(3)}
    assert reader.current_run_id() == run_id(2)


def test_rolling_forward_is_rolling_back_to_a_newer_run(
    publisher: Publisher, reader: Reader
) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    publisher.roll_back(run_id(1))
    publisher.roll_back(run_id(2))
    assert reader.current_run_id() == run_id(2)


@pytest.mark.parametrize(
    ("asked", "said"),
    [(None, "no run precedes"), ("2026-01-01-00000000", "is not published")],
)
def test_rolling_back_to_nowhere_names_the_runs_there_are(
    publisher: Publisher, asked: str | None, said: str
) -> None:
    publish(publisher, 1)
    with pytest.raises(PublishError, match=f"{said}.*there are {run_id(1)}"):
        publisher.roll_back(asked)


def test_the_next_night_is_shown_after_a_rollback(publisher: Publisher, reader: Reader) -> None:
    publish(publisher, 1)
    publish(publisher, 2)
    publisher.roll_back()
    assert publish(publisher, 3)
    assert reader.current_run_id() == run_id(3)


def test_old_runs_are_dropped_but_never_the_current_one(
    publisher: Publisher, reader: Reader
) -> None:
    for number in range(1, 6):
        publish(publisher, number)
    publisher.reject(run_id(6), **described(6))
    publisher.roll_back(run_id(1))
    assert publisher.prune(2) == [run_id(3), run_id(2)]
    assert [run["run_id"] for run in reader.runs()] == [run_id(n) for n in (6, 5, 4, 1)]
    assert reader.row_counts(run_id(2))["recommendations"] == 0
    assert reader.row_counts()["recommendations"] == 9


def test_what_a_published_night_left_half_loaded_is_dropped(
    publisher: Publisher, reader: Reader
) -> None:
    other = f"{run_id(1)[:10]}-ffffffff"
    publisher.open_run(other, **described(1))
    publisher.load(other, tables(1))
    publisher.open_run(run_id(2), **described(2))  # another night, perhaps under way
    publish(publisher, 1)
    assert publisher.prune(7) == [other]
    assert {run["run_id"] for run in reader.runs()} == {run_id(1), run_id(2)}


def test_a_frame_without_a_column_is_refused(publisher: Publisher) -> None:
    publisher.open_run(run_id(1), **described(1))
    frame = recommendations(1).drop(columns="source")
    n_columns = len(RESULTS["recommendations"].columns) - 1  # the publisher writes run_id
    message = f"recommendations: 1 of {n_columns} columns are missing"
    with pytest.raises(PublishError, match=message):
        publisher.load(run_id(1), {"recommendations": iter([frame])})


def test_a_missing_value_is_refused_with_the_row_it_is_in(publisher: Publisher) -> None:
    publisher.open_run(run_id(1), **described(1))
    frame = recommendations(1)
    frame.loc[4, "score"] = float("nan")
    with pytest.raises(PublishError, match=r"1 of 9 rows have no score .*'u2', 'rank': 2"):
        publisher.load(run_id(1), {"recommendations": iter([frame])})


def test_a_table_that_is_none_is_refused(publisher: Publisher) -> None:
    publisher.open_run(run_id(1), **described(1))
    with pytest.raises(PublishError, match="'runs' is not a result table"):
        publisher.load(run_id(1), {"runs": iter([])})


def test_a_run_that_was_not_opened_cannot_be_loaded(publisher: Publisher) -> None:
    with pytest.raises(PublishError, match="open it first"):
        publisher.load(run_id(1), tables(1))


def test_answers_by_hand_replace_those_of_the_same_request(
    publisher: Publisher, reader: Reader
) -> None:
    answers = pd.DataFrame(
        {"run_id": run_id(1), "query": "cat", "rank": [1, 2], "video_id": ["v1", "v2"],
         "score": 0.5, "matched": "title", "at_s": [None, 2.0]}
    )  # fmt: skip
    publisher.write_answers("r1", answers)
    assert publisher.write_answers("r1", answers.iloc[:1]) == 1
    assert list(reader.table("adhoc_search_results")["video_id"]) == ["v1"]


def test_more_rows_than_a_chunk_all_arrive(
    publisher: Publisher, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrec_tasks.publishing.rows.CHUNK_ROWS", 2)
    publish(publisher, 1)
    assert len(reader.table("recommendations")) == 9


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(text=TEXTS, score=st.floats(allow_nan=False, allow_infinity=False, width=32))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_and_number_comes_back_as_it_was(
    publisher: Publisher, reader: Reader, text: str, score: float
) -> None:
    publisher.open_run(run_id(1), **described(1))
    frame = similar(1).iloc[:1].assign(reason=text, score=score)
    publisher.load(run_id(1), {"similar_videos": iter([frame])})
    publisher.publish(run_id(1), moment(1))
    (row,) = reader.similar("v1")
    assert (row["reason"], row["score"]) == (text.replace("\0", ""), score)


def test_a_run_that_is_still_read_is_said_and_goes_the_next_time(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with make_engine(server).begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA still_read"))
    engine = make_engine(f"{server}&options=-csearch_path%3Dstill_read")
    publisher = Publisher(engine)
    publisher.prepare()
    publish(publisher, 1)
    monkeypatch.setattr(partitions, "LONGEST_DETACH_S", 1)
    with engine.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM recommendations")).scalar()
        assert not partitions.drop(engine, run_id(1))
        assert "is still being read" in caplog.text
        reader.rollback()
    assert partitions.drop(engine, run_id(1))
    assert partitions.runs_with_partitions(engine) == set()

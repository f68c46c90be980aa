import pytest
import sqlalchemy as sa

from vidrec_tasks.publishing.publisher import Publisher
from vidrec_tasks.publishing.tables import RESULTS, VIEWS, metadata

KEYS = {
    "runs": ["run_id"],
    "pointer": ["row_num"],
    "recommendations": ["run_id", "user_id", "rank"],
    "fallback_recommendations": ["run_id", "segment", "rank"],
    "similar_videos": ["run_id", "video_id", "rank"],
    "user_profiles": ["run_id", "user_id"],
    "search_results": ["run_id", "query", "rank"],
    "creator_insights": ["run_id", "creator_id", "topic"],
    "creator_videos": ["run_id", "creator_id", "video_id"],
    "creator_summaries": ["run_id", "creator_id"],
    "video_texts": ["run_id", "video_id", "passage_num"],
    "video_cards": ["run_id", "video_id"],
    "adhoc_search_results": ["request_id", "query", "rank"],
}


def test_keys_are_as_designed() -> None:
    assert {name: [c.name for c in t.primary_key] for name, t in metadata.tables.items()} == KEYS


def test_every_table_and_column_says_what_it_means() -> None:
    silent = [f"{t.name}.{c.name}" for t in metadata.tables.values() for c in t.columns
              if not c.comment]  # fmt: skip
    assert silent == []
    assert all(table.comment for table in metadata.tables.values())


def test_every_result_table_and_runs_have_a_view(publisher: Publisher) -> None:
    there = sa.inspect(publisher.engine).get_view_names()
    assert sorted(there) == sorted(f"current_{name}" for name in ["runs", *RESULTS])


def test_a_view_has_the_columns_of_its_table() -> None:
    for name, view in VIEWS.items():
        assert view.columns.keys() == metadata.tables[name].columns.keys()


def test_the_pointer_has_one_row_only(publisher: Publisher) -> None:
    with pytest.raises(sa.exc.IntegrityError), publisher.engine.begin() as connection:
        connection.execute(sa.insert(metadata.tables["pointer"]).values(row_num=2))


def test_the_pointer_names_a_run_that_is_there(publisher: Publisher) -> None:
    with pytest.raises(sa.exc.IntegrityError), publisher.engine.begin() as connection:
        connection.execute(sa.update(metadata.tables["pointer"]).values(run_id="nowhere"))

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.importing.preset_suite import Example, PresetSuite
from tests.importing.worlds import World
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.movielens import MOVIELENS
from vidrec_tasks.importing.presets import import_data

FILES = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n2,31,4.0,1260759179\n"
    "2,7,5.0,1260759179\n",
    "movies.csv": 'movieId,title,genres\n31,"Dangerous Minds, The (1995)",Drama|Crime\n'
    "7,Sabrina (1995),(no genres listed)\n",
    "links.csv": "movieId,imdbId,tmdbId\n31,0112792,9909\n7,0114319,11860\n",
    "tags.csv": "userId,movieId,tag,timestamp\n1,31,School,1300000000\n2,31,school,1300000009\n"
    "2,7,note to self,1300000009\n",
}


class TestMovielens(PresetSuite):
    example = Example(
        MOVIELENS,
        files=FILES,
        rated={"movies.csv": "movieId,title,genres,age_rating,year\n"
               "10,Ten,Drama,18,x\n20,Twenty,Drama,,x\n30,Thirty,Drama,16,x\n"},
        unused="year",
    )  # fmt: skip


def test_ratings_become_events_with_their_value(world: World) -> None:
    counts = world.bring("movielens", FILES)
    assert counts == {
        "interactions": 3, "videos": 2, "described_videos": 0, "tags_left_out": 1, "torn_lines": 0,
        "unused_columns": 0,
    }  # fmt: skip
    first = world.rows("interactions")[0]
    assert (first["user_id"], first["video_id"], first["value"]) == ("1", "31", 2.5)
    assert first["event_type"] == "rating"
    assert first["event_at"] == pd.Timestamp(1260759144, unit="s", tz="UTC")


def test_films_keep_title_and_genres_and_have_no_invented_date(world: World) -> None:
    world.bring("movielens", FILES)
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert by_id["31"]["title"] == "Dangerous Minds, The (1995)"
    assert by_id["31"]["categories"] == ["Drama", "Crime"]
    assert by_id["7"]["categories"] == []
    assert all(pd.isna(row["published_at"]) for row in by_id.values())


def test_a_tag_needs_two_people_and_says_when_it_was_given(world: World) -> None:
    world.bring("movielens", FILES)
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert by_id["31"]["tags"] == ["school"]
    assert by_id["31"]["updated_at"] == pd.Timestamp(1300000009, unit="s", tz="UTC")
    assert by_id["7"]["tags"] == []
    assert pd.isna(by_id["7"]["updated_at"])


@pytest.mark.parametrize("is_zip", [False, True])
def test_overviews_become_descriptions(world: World, tmp_path: Path, is_zip: bool) -> None:
    path = tmp_path / "tmdb.csv"
    path.write_text('id,title,overview\n9909,x,"A teacher,\nand a class."\n1,y,other\n')
    if is_zip:
        path = tmp_path / "tmdb.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "tmdb.csv", "tmdb.csv")
            archive.writestr("__MACOSX/._tmdb.csv", b"\0")
    assert world.bring("movielens", FILES, overviews=path)["described_videos"] == 1
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert by_id["31"]["description"] == "A teacher,\nand a class."
    assert by_id["7"]["description"] == ""


def test_overviews_that_cannot_be_read_are_named(world: World, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"not a zip")
    with pytest.raises(InputError, match=r"bad\.zip cannot be read .*--overviews"):
        world.bring("movielens", FILES, overviews=tmp_path / "bad.zip")
    assert not list(world.store.rglob("*.parquet"))


def test_bad_rows_pass_to_the_contract_and_torn_lines_are_counted(world: World) -> None:
    ratings = FILES["ratings.csv"] + "3,31,good,1260759144\n3,31\n,31,2.0,1260759144\n"
    counts = world.bring("movielens", {**FILES, "ratings.csv": ratings})
    assert counts["interactions"] == 5
    assert counts["torn_lines"] == 1
    reasons = world.parsed("interactions").rejects["reason"].to_list()
    assert reasons == ["value is not a finite number", "user_id is missing"]


def test_the_real_movielens_arrives_whole(real_data: Path, tmp_path: Path) -> None:
    counts = import_data(
        "movielens",
        real_data / "ml-latest-small",
        tmp_path / "inputs",
        overviews=real_data / "tmdb-5000" / "tmdb_5000_movies.csv.zip",
    )
    assert counts["interactions"] == 100_004
    assert counts["videos"] == 9_125
    assert counts["described_videos"] == 3_404
    assert counts["torn_lines"] == 0
    world = World(tmp_path)
    world.store = tmp_path
    events = world.parsed("interactions")
    assert events.rejects.empty
    assert events.rows["user_id"].nunique() == 671
    assert set(events.rows["video_id"]) <= set(world.parsed("videos").rows["video_id"])

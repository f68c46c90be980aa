"""The .dat layout of MovieLens-1M, MovieLens-10M and MovieTweetings, which have no header."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.importing.worlds import World, write
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.settings import AudienceSettings

TWEETED = {
    "ratings.dat": "1::0068646::10::1381620027\n1::0113277::0::1379466669\n"
    "2::0068646::7::1412178746\n",
    "movies.dat": "0068646::À propos: a film (1972)::Crime|Drama\n0113277::Plain (1995)::\n",
    "users.dat": "1::987654321\n2::876543210\n",
}  # fmt: skip
ONE_MILLION = {
    "ratings.dat": "1::73::5::978300760\n2::73::3::978302109\n2::8::4::978301968\n",
    "movies.dat": "73::Misérables, Les (1995)::Drama|Musical\n8::Plain: 1/2 (1995)::Comedy\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
}
TAGS = "1::73::Long::1215184630\n2::73::long::1215184639\n2::8::mine alone::1215184640\n"


def bring_latin_1(world: World, files: dict[str, str]) -> dict[str, int]:
    """Import files that are written in latin-1."""
    write(world.theirs, {})
    for name, text in files.items():
        (world.theirs / name).write_bytes(text.encode("latin-1"))
    return import_data("movielens", world.theirs, world.store / "inputs")


def test_movietweetings_become_tables_with_ids_as_they_are_written(world: World) -> None:
    counts = world.bring("movielens", TWEETED)
    assert (counts["interactions"], counts["videos"], counts["torn_lines"]) == (3, 2, 0)
    events = [(e["user_id"], e["video_id"], e["value"]) for e in world.rows("interactions")]
    assert events == [("1", "0068646", 10.0), ("1", "0113277", 0.0), ("2", "0068646", 7.0)]
    assert {event["event_type"] for event in world.rows("interactions")} == {"rating"}
    first, second = world.rows("videos")
    assert (first["title"], first["categories"]) == ("À propos: a film (1972)", ["Crime", "Drama"])
    assert (second["title"], second["categories"]) == ("Plain (1995)", [])
    assert pd.isna(first["published_at"])


@pytest.mark.parametrize(("files", "private"), [(TWEETED, "987654321"), (ONE_MILLION, "48067")])
def test_what_users_dat_says_of_persons_is_left_there(
    world: World, files: dict[str, str], private: str
) -> None:
    world.bring("movielens", files)
    assert sorted(path.name for path in (world.store / "inputs").iterdir()) == [
        ".import.json", "interactions.parquet", "videos.parquet",
    ]  # fmt: skip
    assert not any(private in str(row.values()) for row in world.rows("interactions"))


def test_each_file_is_read_in_its_own_encoding_and_the_log_says_which(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    bring_latin_1(world, ONE_MILLION)
    assert world.rows("videos")[0]["title"] == "Misérables, Les (1995)"
    assert "movielens: movies.dat is read as latin-1 (0 of 1 lines beyond" in caplog.text
    world.bring("movielens", ONE_MILLION)
    assert world.rows("videos")[0]["title"] == "Misérables, Les (1995)"
    assert "movielens: movies.dat is read as utf-8 (1 of 1 lines beyond" in caplog.text


def test_tags_of_ten_million_count_as_those_of_a_csv_do(world: World) -> None:
    assert world.bring("movielens", {**ONE_MILLION, "tags.dat": TAGS})["tags_left_out"] == 1
    by_id = {row["video_id"]: row for row in world.rows("videos")}
    assert (by_id["73"]["tags"], by_id["8"]["tags"]) == (["long"], [])
    assert by_id["73"]["updated_at"] == pd.Timestamp(1215184639, unit="s", tz="UTC")


def test_lines_that_are_no_rows_are_torn_and_the_rest_stays(world: World) -> None:
    write(world.theirs, ONE_MILLION)
    ratings = b"1::73::5::978300760\r\n\r\n2::73\r\n3::73::4::1::2\r\n::8::x::978301968\r\n"
    (world.theirs / "ratings.dat").write_bytes(ratings)
    movies = "73::Misérables (1995)::Drama\n8::Plain (1995)::\n".encode() + b"9::\xe9 (1995)::x\n"
    (world.theirs / "movies.dat").write_bytes(movies)
    counts = import_data("movielens", world.theirs, world.store / "inputs")
    assert (counts["interactions"], counts["videos"], counts["torn_lines"]) == (2, 2, 3)
    assert world.parsed("interactions").rejects["reason"].tolist() == ["user_id is missing"]
    assert [row["video_id"] for row in world.rows("videos")] == ["73", "8"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n1,73,5,978300760\n", r", line 2: 1 fields, not 4 .* '1,73,5,978300760'; take the file"),
        ("1::73::5\n", r", line 1: 3 fields, not 4 with '::' between \(userId::movieId::rating::"),
        ("", r" is empty; take the file as it was published"),
    ],
)
def test_a_file_of_another_layout_is_refused_by_its_first_line(
    world: World, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=rf"movielens: ratings\.dat{said}"):
        world.bring("movielens", {**ONE_MILLION, "ratings.dat": text})
    assert not list(world.store.rglob("*.parquet"))


def test_a_large_file_gives_the_same_rows_in_blocks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"{i % 97}::73::{i % 5 + 1}::{978300760 + i}\n" for i in range(5_000))
    files = {**ONE_MILLION, "ratings.dat": lines.removesuffix("\n")}
    world.bring("movielens", files)
    whole = world.parsed("interactions").rows
    monkeypatch.setattr("vidrec_tasks.store.decoding.BLOCK_BYTES", 1_000)
    assert world.bring("movielens", files)["interactions"] == 5_000
    pd.testing.assert_frame_equal(world.parsed("interactions").rows, whole)


def test_a_rating_counts_alike_on_a_scale_of_five_and_on_one_of_ten(world: World) -> None:
    rng = np.random.default_rng(7)
    weights = []
    rated = [(user, film, rng.integers(1, 6)) for user in range(6) for film in (73, 8)]
    for scale in (1, 2):
        lines = [f"{user}::{film}::{scale * value}::978300760" for user, film, value in rated]
        world.bring("movielens", {**ONE_MILLION, "ratings.dat": "\n".join(lines)})
        events, videos = world.parsed("interactions").rows, world.parsed("videos").rows
        ordered = videos.sort_values("video_id", ignore_index=True)
        weighed = weigh(events, ordered, AudienceSettings(), night=date(2026, 9, 1))
        weights.append(weighed["weight"].to_numpy())
    assert len(set(weights[0])) > 3
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)


def test_the_real_movietweetings_arrive_whole(real_data: Path, tmp_path: Path) -> None:
    theirs = real_data / "movietweetings-100k"
    if not theirs.is_dir():
        pytest.skip(f"no {theirs}")
    world = World(tmp_path)
    counts = import_data("movielens", theirs, world.store / "inputs")
    assert (counts["interactions"], counts["videos"], counts["torn_lines"]) == (100_000, 10_506, 0)
    events = world.rows("interactions")
    assert len({event["user_id"] for event in events}) == 16_554
    titles = {row["video_id"]: row["title"] for row in world.rows("videos")}
    assert titles["0002844"] == "Fantômas - À l'ombre de la guillotine (1913)"
    assert {event["video_id"] for event in events} <= titles.keys()

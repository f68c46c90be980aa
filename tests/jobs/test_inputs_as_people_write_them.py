"""Inputs as people really have them: a night says rightly what is there, or what is wrong."""

import gzip
import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.small_nights import (
    EVENTS,
    NEXT,
    NIGHT,
    VIDEOS,
    lists_of,
    run,
    settings_of,
    table_of,
    write,
)
from vidrec_tasks.errors import ContractError, GateError, InputError
from vidrec_tasks.publishing.reader import Reader
from vidrec_tasks.running.runner import Order, run_job, run_night
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

TAGS = [["baking", "bread"], ["baking", "pastry"], ["baking", "bread"], ["astronomy", "sky"],
        ["astronomy", "planets"], ["astronomy", "moon"]]  # fmt: skip


def validated(folder: Path, night: date = NIGHT, **groups: object) -> Run:
    """The night's run after its inputs were read."""
    settings = settings_of(folder, **groups)  # type: ignore[arg-type]
    run_job(Order("validate_inputs", night, refresh=True), settings)
    return Runs(Store(str(folder))).of_night(night)


def counts_of(opened: Run) -> dict[str, int]:
    (said,) = [r["counts"] for r in opened.receipts() if r["job"] == "validate_inputs"]
    return dict(said)


@pytest.mark.parametrize(
    "written",
    [
        lambda tags: "|".join(tags),
        lambda tags: ", ".join(tags),
        lambda tags: ";".join(tags),
        json.dumps,
        str,
        lambda tags: "[" + " ".join(f"'{tag}'" for tag in tags) + "]",
        lambda tags: "{" + ",".join(tags) + "}",
        lambda tags: json.dumps([{"id": 7, "name": tag} for tag in tags]),
    ],
    ids=["bars", "commas", "semicolons", "json", "python", "numpy", "postgresql", "records"],
)
def test_a_list_is_read_however_it_is_written(tmp_path: Path, written: object) -> None:
    videos = VIDEOS.assign(tags=[written(tags) for tags in TAGS])  # type: ignore[operator]
    write(tmp_path, videos=videos, interactions=EVENTS)
    assert [list(tags) for tags in validated(tmp_path).read_table("videos")["tags"]] == TAGS


def test_a_list_of_records_in_parquet_gives_its_names(tmp_path: Path) -> None:
    write(tmp_path, videos=None, interactions=EVENTS)
    records = [[{"id": num, "name": tag} for num, tag in enumerate(tags)] for tags in TAGS]
    table = pa.table({"video_id": VIDEOS["video_id"].tolist(), "tags": records})
    pq.write_table(table, tmp_path / "inputs" / "videos.parquet")
    assert [list(tags) for tags in validated(tmp_path).read_table("videos")["tags"]] == TAGS
    nameless = pa.table({"video_id": ["v1"], "tags": [[{"id": 1, "weight": 2}]]})
    pq.write_table(nameless, tmp_path / "inputs" / "videos.parquet")
    with pytest.raises(ContractError, match=r"records without a name \(one of name, title, label"):
        validated(tmp_path)


def test_words_for_nothing_are_no_topics_and_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    videos = VIDEOS.assign(tags="NULL", categories="None", description="nan", creator_id="null")
    write(tmp_path, videos=videos.assign(title=["Null", *VIDEOS["title"][1:]]), interactions=EVENTS)
    read = validated(tmp_path).read_table("videos")
    assert [len(tags) for tags in read["tags"]] == [0] * 6
    assert set(read["description"]) == set(read["creator_id"]) == {""}
    assert read["title"][0] == "Null"  # a film's title, as nobody writes nothing
    assert "6 of 6 values of tags mean a missing value" in caplog.text


@pytest.mark.parametrize(
    ("expires_at", "is_listed"),
    [("253402300799", True), ("9999-12-31", True), ("32503680000", True), ("", True),
     ("NULL", True), ("0001-01-01T00:00:00Z", True), ("20271231", True), ("20260831", False),
     ("2026-08-31", False), ("1788134400", False)],
)  # fmt: skip
def test_a_video_that_never_expires_is_listed(
    tmp_path: Path, expires_at: str, is_listed: bool
) -> None:
    write(tmp_path, videos=VIDEOS.assign(expires_at=expires_at), interactions=EVENTS)
    read = validated(tmp_path).read_table("videos")
    moment = pd.Timestamp(NIGHT, tz="UTC")
    assert (~(read["expires_at"] <= moment)).tolist() == [is_listed] * 6


@pytest.mark.parametrize("expires_at", ["0", "2026", "46235", "31/12/2027"])
def test_an_expiry_that_cannot_be_read_keeps_the_video_out(tmp_path: Path, expires_at: str) -> None:
    videos = VIDEOS.assign(expires_at=[expires_at, "", "", "", "", ""])
    write(tmp_path, videos=videos, interactions=EVENTS)
    read = validated(tmp_path).read_table("videos")
    assert "v1" not in set(read["video_id"])


def test_parts_of_every_kind_make_one_table(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS, interactions=None)
    folder = tmp_path / "inputs" / "interactions"
    (folder / "day=2026-08-21").mkdir(parents=True)
    EVENTS[:2].to_csv(folder / "a.csv", index=False)
    packed = EVENTS[2:4].to_csv(index=False, sep=";").encode()
    (folder / "b.csv.gz").write_bytes(gzip.compress(packed))
    EVENTS[4:].to_parquet(folder / "day=2026-08-21" / "part-0.parquet")
    assert counts_of(validated(tmp_path))["interactions_accepted"] == 7


def test_of_two_rows_the_newest_counts_in_the_lists(tmp_path: Path) -> None:
    gone = VIDEOS[VIDEOS["video_id"] == "v3"].assign(status="removed")
    write(tmp_path, videos=pd.concat([VIDEOS.assign(status="active"), gone]), interactions=EVENTS)
    run(tmp_path)
    assert "v3" not in set(table_of(tmp_path, "recommendations")["video_id"])
    assert "v3" not in set(table_of(tmp_path, "fallback_recommendations")["video_id"])


@pytest.mark.parametrize("said", ["maybe", "2"])
def test_an_opt_out_that_cannot_be_read_is_one(tmp_path: Path, said: str) -> None:
    people = ["u1", *(f"other{num}" for num in range(9))]
    users = pd.DataFrame({"user_id": people, "opted_out": [said] + ["0"] * 9})
    write(tmp_path, videos=VIDEOS, interactions=EVENTS, users=users)
    run(tmp_path)
    lists = lists_of(tmp_path)
    assert "u1" not in lists
    assert "u2" in lists


def test_a_take_down_of_this_morning_is_in_no_list(tmp_path: Path) -> None:
    dated = VIDEOS.assign(status="active", updated_at="2026-08-30T00:00:00Z")
    write(tmp_path, videos=dated, interactions=EVENTS)
    run(tmp_path)
    assert "v3" in set(table_of(tmp_path, "recommendations")["video_id"])
    is_v3 = dated["video_id"] == "v3"
    changed = dated.assign(
        status=dated["status"].mask(is_v3, "removed"),
        title=dated["title"].mask(is_v3, "Removed"),
        updated_at=dated["updated_at"].mask(is_v3, "2026-09-02T00:30:00Z"),
    )
    write(tmp_path, videos=changed)
    run(tmp_path, NEXT)
    for name in ("recommendations", "fallback_recommendations"):
        assert "v3" not in set(table_of(tmp_path, name)["video_id"])
    videos = Runs(Store(str(tmp_path))).of_night(NEXT).read_table("videos").set_index("video_id")
    assert videos.loc["v3", "title"] == "Focaccia in an hour"  # all else is as of the night


def test_a_log_of_yesterday_alone_is_not_published_unless_it_is_said_to_be_one(
    tmp_path: Path,
) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    run(tmp_path)
    before = lists_of(tmp_path)
    columns = list(EVENTS.columns)
    new = [("u1", "v3", "2026-09-01T18:00:00Z", "play", 400),
           ("u9", "v4", "2026-09-01T19:00:00Z", "play", 690),
           ("u9", "v5", "2026-09-02T00:30:00Z", "play", 600)]  # fmt: skip
    write(tmp_path, interactions=pd.DataFrame(new, columns=columns))
    with pytest.raises(GateError, match=r"events_kept 0.2857.*INTERACTIONS_ARE=increment"):
        run(tmp_path, NEXT)
    assert lists_of(tmp_path) == before
    counts = run(tmp_path, NEXT, inputs={"interactions_are": "increment"})
    said = counts["validate_inputs"]
    assert (said["interactions_before"], said["interactions_accepted"]) == (7, 9)
    assert (said["interactions_after_night"], counts["check_gates"]["failed"]) == (1, 0)
    assert set(lists_of(tmp_path)) == {"u1", "u2", "u3", "u4", "u9"}
    # the third night: what came after the second one is there, what is delivered again is not
    again = [new[1], ("u2", "v6", "2026-09-02T10:00:00Z", "play", 300)]
    write(tmp_path, interactions=pd.DataFrame(again, columns=columns))
    third = NEXT + timedelta(days=1)
    counts = run(tmp_path, third, inputs={"interactions_are": "increment"})
    said = counts["validate_inputs"]
    assert said["interactions_before"] == 10
    assert (said["interactions_accepted"], said["interactions_delivered_again"]) == (11, 1)
    events = Runs(Store(str(tmp_path))).of_night(third).read_table("interactions.0")
    assert {"v4", "v5"} == set(events.loc[events["user_id"] == "u9", "video_id"])


def test_an_increment_is_built_on_a_night_that_was_rejected_too(tmp_path: Path) -> None:
    increment = {"interactions_are": "increment"}
    write(tmp_path, videos=VIDEOS, interactions=EVENTS[:4])
    first = validated(tmp_path, inputs=increment)  # never published
    write(tmp_path, interactions=EVENTS[4:])
    second = validated(tmp_path, NEXT, inputs=increment)
    assert second.record.parents["log"] == first.run_id
    assert counts_of(second)["interactions_accepted"] == 7


def test_a_catalogue_of_changes_is_laid_over_the_last_one(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    increment = {"videos_are": "increment"}
    validated(tmp_path, inputs=increment)
    new = VIDEOS.iloc[[0]].assign(video_id="v7", title="New")
    changed = VIDEOS.iloc[[1]].assign(title="Changed")
    write(tmp_path, videos=pd.concat([new, changed]))
    videos = validated(tmp_path, NEXT, inputs=increment).read_table("videos").set_index("video_id")
    assert sorted(videos.index) == ["v1", "v2", "v3", "v4", "v5", "v6", "v7"]
    assert (videos.loc["v2", "title"], videos.loc["v3", "title"]) == (
        "Changed", "Focaccia in an hour",
    )  # fmt: skip


def test_a_catalogue_that_was_cut_off_is_not_published(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    run(tmp_path)
    before = lists_of(tmp_path)
    write(tmp_path, videos=VIDEOS[:2])
    with pytest.raises(ContractError, match=r"'v4' was in the catalogue that was read before"):
        run(tmp_path, NEXT)
    write(tmp_path, interactions=EVENTS[EVENTS["video_id"].isin(["v1", "v2"])])
    with pytest.raises(GateError, match=r"videos_gone 0.6667.*VIDEOS_ARE=increment"):
        run(tmp_path, NEXT)
    assert lists_of(tmp_path) == before


@pytest.mark.parametrize(
    ("written", "difference"),
    [
        (str.upper, "'V1' would be 'v1' but for capital letters"),
        (lambda name: name.replace("v", "00v"), "'00v1' would be 'v1' but for leading zeros"),
        (lambda name: name.replace("v", "v "), "'v 1' would be 'v1' but for blanks"),
        (lambda name: f"video:{name}", "'video:v1' would be 'v1' but for what stands before"),
        (lambda name: f"x{name}", "the catalogue has 'v1'"),
    ],
)
def test_ids_that_are_written_differently_are_shown_side_by_side(
    tmp_path: Path, written: object, difference: str
) -> None:
    strange = EVENTS["video_id"].map(written)  # type: ignore[arg-type]
    is_strange = EVENTS["video_id"].isin(["v1", "v2", "v3"])
    events = EVENTS.assign(video_id=EVENTS["video_id"].mask(is_strange, strange))
    write(tmp_path, videos=VIDEOS, interactions=events)
    with pytest.raises(ContractError, match="4 of 7 events name no video") as caught:
        validated(tmp_path)
    assert difference in str(caught.value)
    counts = counts_of(validated(tmp_path, inputs={"max_unknown_share": 0.6}))
    assert counts["interactions_of_unknown_videos"] == 4


def test_milliseconds_beside_seconds_are_refused_or_converted_by_a_setting(tmp_path: Path) -> None:
    milliseconds = EVENTS.assign(watched_s=EVENTS["watched_s"] * 1_000)
    write(tmp_path, videos=VIDEOS, interactions=milliseconds)
    with pytest.raises(ContractError, match=r"median of 6 plays lasts .*WATCHED_UNIT=ms"):
        validated(tmp_path)
    read = validated(tmp_path, inputs={"watched_unit": "ms"}).read_table("interactions.0")
    assert read["watched_s"].max() == 850
    lengths = VIDEOS.assign(duration_s=VIDEOS["duration_s"] * 1_000)
    write(tmp_path, videos=lengths, interactions=EVENTS)
    with pytest.raises(ContractError, match=r"duration_s says 625,000 .*DURATION_UNIT=ms"):
        validated(tmp_path)
    read = validated(tmp_path, inputs={"duration_unit": "ms"}).read_table("videos")
    assert read["duration_s"].tolist() == VIDEOS["duration_s"].tolist()


def test_an_event_that_is_delivered_ten_times_is_watched_once(tmp_path: Path) -> None:
    first = EVENTS.iloc[[0]].assign(watched_s=60)
    write(tmp_path, videos=VIDEOS, interactions=pd.concat([first] * 10 + [EVENTS[1:]]))
    counts = run(tmp_path)["validate_inputs"]
    assert counts["interactions_delivered_again"] == 9
    visits = Runs(Store(str(tmp_path))).of_night(NIGHT).read_table("profiles.0", "visits")
    (share,) = visits.loc[
        (visits["user_id"] == "u1") & (visits["video_id"] == "v1"), "watched_share"
    ]
    assert share == pytest.approx(0.1)


def test_what_most_rate_badly_is_not_called_popular(tmp_path: Path) -> None:
    bad = [(f"u{num}", "v3", "2026-08-21T10:00:00Z", "rating", 1) for num in range(12)]
    good = [(f"u{num}", f"v{1 + num % 2}", "2026-08-21T11:00:00Z", "rating", 5)
            for num in range(12)]  # fmt: skip
    columns = ["user_id", "video_id", "event_at", "event_type", "value"]
    write(tmp_path, videos=VIDEOS, interactions=pd.DataFrame(bad + good, columns=columns))
    run(tmp_path)
    rows = table_of(tmp_path, "fallback_recommendations")
    said = rows[rows["segment"] == "__default__"].set_index("video_id")["explanation"]
    assert "Popular" not in said["v3"]
    assert said["v1"] == "Popular now: watched by 6 users in the last 28 days."


def test_a_night_after_today_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, videos=VIDEOS, interactions=EVENTS)
    today = datetime.now(UTC).date()
    far = today.replace(year=today.year + 36, day=1)
    settings = settings_of(tmp_path)
    with pytest.raises(InputError, match=rf"night {far}: is after today .* --future"):
        run_night(far, settings)
    assert not (tmp_path / "runs").exists()
    run_night(far, settings, may_be_future=True)
    reader = Reader(f"sqlite:///{tmp_path}/results.sqlite")
    assert str(reader.current_run_id()).startswith(str(far))
    run(tmp_path)  # readers do not stay on it until that day has come
    assert str(reader.current_run_id()).startswith(str(NIGHT))
    reader.close()


@pytest.mark.parametrize(
    ("users", "said"),
    [
        ("user_id,opted_out\nu1,1\n", "2 are of users who opted out, 1 are at or after"),
        ("user_id\nu1\n", "1 are at or after the night"),
    ],
)
def test_an_empty_night_says_what_became_of_every_event(
    tmp_path: Path, users: str, said: str
) -> None:
    late = EVENTS[:1].assign(user_id="u2", event_at="2026-09-05T10:00:00Z")
    mine = EVENTS[:2] if "opted_out" in users else EVENTS[:0]
    write(tmp_path, videos=VIDEOS, interactions=pd.concat([mine, late]), users=users)
    if "opted_out" in users:  # that they want none is published, too
        assert run(tmp_path)["check_gates"]["failed"] == 0
        return
    with pytest.raises(InputError, match=f"none of 1 interactions can be used .*{said}"):
        validated(tmp_path)


def test_videos_without_a_rating_get_what_is_said_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rated = VIDEOS.assign(age_rating=["18+", "16.0", "6", "", "", "NULL"])
    write(tmp_path, videos=rated, interactions=EVENTS)
    assert validated(tmp_path).read_table("videos")["age_rating"].tolist() == [18, 16, 6, 0, 0, 0]
    assert "3 of 6 rows have no age_rating and count as 0" in caplog.text
    strict = validated(tmp_path, inputs={"unrated_age": 12}).read_table("videos")
    assert strict["age_rating"].tolist() == [18, 16, 6, 12, 12, 12]

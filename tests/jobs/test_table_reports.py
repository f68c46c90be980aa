"""Catalogues and logs after public bug reports: what is found in each is the right value."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.small_nights import NEXT, NIGHT, lists_of, run, settings_of, table_of
from vidrec_tasks.errors import ContractError, GateError, InputError
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.publishing.exports import read_ids
from vidrec_tasks.running.by_hand import run_by_hand
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

Bring = Callable[[str], Path]


@pytest.fixture
def bring(real_data: Path, tmp_path: Path) -> Bring:
    """A store with the inputs of a report, imported where they are another system's."""

    def brought(name: str) -> Path:
        (folder,) = (real_data / "table-reports").glob(f"{name}-*")
        if (folder / "source").exists():
            preset = folder.name.split("-")[1]
            import_data(preset, folder / "source", tmp_path / "inputs")
        else:
            _copy(folder / "inputs", tmp_path / "inputs")
        return tmp_path

    return brought


def _copy(source: Path, into: Path) -> None:
    shutil.copytree(source, into, copy_function=shutil.copyfile, dirs_exist_ok=True)
    for path in (into, *into.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def read(folder: Path, night: date = NIGHT, **inputs: Any) -> Run:
    """The run of the night's inputs."""
    groups = {"inputs": {"max_reject_share": 0.3, **inputs}}
    run_job(Order("validate_inputs", night, refresh=True), settings_of(folder, **groups))
    return Runs(Store(str(folder))).of_night(night)


def counts_of(opened: Run) -> dict[str, int]:
    return dict(opened.receipts()[0]["counts"])


@pytest.mark.parametrize("name", ["01", "02", "08", "32", "33", "34"])
def test_a_night_over_it_ends_well(bring: Bring, name: str) -> None:
    folder = bring(name)
    assert run(folder)["check_gates"]["failed"] == 0
    lists = lists_of(folder)
    if name in ("32", "34"):
        assert lists == {}
    else:
        assert all(len(videos) >= 3 for videos in lists.values())
    if name == "33":
        assert {user: len(videos) for user, videos in lists.items()} == {
            "u1": 4, "u2": 4, "u3": 4, "u4": 5,
        }  # fmt: skip
    topics = {name for row in table_of(folder, "user_profiles")["topics"] for name, *_ in row}
    assert topics.isdisjoint({"NULL", "null", "None", "nan"})


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("05", {"m1": "2026-08-01", "m2": None, "m3": "2026-08-02"}),
        ("07", {"m1": "2026-08-01", "m2": "2026-08-01"}),
        ("21", {"v1": "2026-08-01", "v2": "2026-08-03", "v3": "2026-08-01"}),
    ],
)
def test_times_are_what_was_written(bring: Bring, name: str, times: dict[str, Any]) -> None:
    opened = read(bring(name))
    videos = opened.read_table("videos").set_index("video_id")["published_at"]
    found = {video: None if at != at else str(at)[:10] for video, at in videos.items()}
    assert found == times
    days = set(opened.read_table("interactions.0")["event_at"].dt.strftime("%Y-%m"))
    assert days == {"2026-08"}
    if name == "07":  # one is of Christmas, one cannot be told
        assert counts_of(opened)["videos_not_yet_published"] == 1
        assert opened.read_table("rejects")["sample"].str.contains("24/12/2026").tolist() == [True]


@pytest.mark.parametrize(
    ("name", "accepted", "users"),
    [("12", 7, 4), ("14", 7, 4), ("25", 7, 4), ("27", 7, 4), ("35", 7, 4), ("04", 7, 4)],
)
def test_every_event_is_read_once(bring: Bring, name: str, accepted: int, users: int) -> None:
    counts = counts_of(read(bring(name)))
    assert counts["interactions_accepted"] == accepted
    assert counts["interactions_users"] == users
    assert counts["interactions_delivered_again"] == (9 if name == "25" else 0)


@pytest.mark.parametrize(("name", "of_v3"), [("09", ["baking", "bread"]), ("10", None)])
def test_lists_are_lists(bring: Bring, name: str, of_v3: list[str] | None) -> None:
    videos = read(bring(name)).read_table("videos").set_index("video_id")
    topics = {topic for row in videos["tags"] for topic in row}
    assert {"baking", "astronomy"} <= topics
    assert not [topic for topic in topics if set(topic) & set("[]{}'\",")]
    assert of_v3 is None or list(videos.loc["v3", "tags"]) == of_v3


def test_the_newest_version_of_a_video_counts(bring: Bring) -> None:
    videos = read(bring("15")).read_table("videos").set_index("video_id")
    assert videos.loc["v3", "status"] == "removed"


def test_what_never_expires_is_there(bring: Bring) -> None:
    opened = read(bring("23"))
    videos = opened.read_table("videos").set_index("video_id")
    assert videos["expires_at"].isna().all()
    assert "v5" not in videos.index  # it expires at 0, which is no time: named, and kept out
    assert opened.read_table("rejects")["reason"].str.contains("expires_at is 0").sum() == 1


@pytest.mark.parametrize("name", ["17", "18", "19"])
def test_a_second_night_shows_or_refuses_what_has_changed(
    bring: Bring, real_data: Path, name: str
) -> None:
    folder = bring(name)
    run(folder)
    before = lists_of(folder)
    (source,) = (real_data / "table-reports").glob(f"{name}-*")
    _copy(source / "night2", folder / "inputs")
    if name == "17":
        run(folder, NEXT)
        assert "v3" in {video for videos in before.values() for video in videos}
        assert "v3" not in {video for videos in lists_of(folder).values() for video in videos}
        return
    with pytest.raises((GateError, ContractError)) as refused:
        run(folder, NEXT)
    said = "INTERACTIONS_ARE=increment" if name == "18" else "was in the catalogue"
    assert said in str(refused.value)
    assert lists_of(folder) == before


@pytest.mark.parametrize(
    ("name", "night", "said"),
    [
        ("20", date(2062, 9, 1), r"night 2062-09-01: is after today .* --future"),
        ("26", NIGHT, r"median of 7 plays lasts 10.1 times .* WATCHED_UNIT=ms"),
        ("30", NIGHT, r"4 of 7 events name no video .* 'V1' would be 'v1' but for capital"),
    ],
)
def test_what_cannot_be_right_is_refused_with_the_next_step(
    bring: Bring, name: str, night: date, said: str
) -> None:
    with pytest.raises(InputError, match=said.replace(" .* ", ".*")):
        read(bring(name), night)


def test_a_list_of_users_is_read_as_excel_writes_it(bring: Bring, real_data: Path) -> None:
    (source,) = (real_data / "table-reports").glob("29-*")
    assert read_ids(source / "users_bom.txt") == ["u1", "u2", "u3"]
    with pytest.raises(InputError, match=r"1 of 2 lines of .* are not UTF-8 \(first: J.xfcrgen\)"):
        read_ids(source / "users_latin.txt")


def test_an_ordinary_word_is_forgotten_as_a_user(bring: Bring) -> None:
    folder = bring("36")
    run(folder)
    settings = settings_of(folder)
    said = run_by_hand("forget_users", settings, request_id="r", user_ids=["default"])
    assert said["found_again"] == 0
    assert set(lists_of(folder)) == {"u2", "u3", "u4"}
    rows = table_of(folder, "fallback_recommendations")
    assert "__default__" in set(rows["segment"])


def test_the_worst_rated_is_not_popular(bring: Bring) -> None:
    folder = bring("40")
    run(folder)
    rows = table_of(folder, "fallback_recommendations")
    said = rows[rows["segment"] == "__default__"].set_index("video_id")
    assert said["rank"].idxmax() == "v3"
    assert "Popular" not in said.loc["v3", "explanation"]

"""The rendered world as the contracts read it, and what happens to a world that is there."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from vidrec_tasks.contracts import admission
from vidrec_tasks.contracts.inputs import INTERACTIONS, QUERIES, USERS, VIDEOS
from vidrec_tasks.contracts.parsing import parse
from vidrec_tasks.contracts.schema import Table
from vidrec_tasks.demo import world as worlds
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.truth import read_truth
from vidrec_tasks.demo.world import World, plan_world, render_world, two_nights, world_of
from vidrec_tasks.errors import InputError
from vidrec_tasks.store.inputs import read_chunks
from vidrec_tasks.store.store import Store
from vidrec_tasks.store.table_files import input_files

BARE = Size(videos=8, users=6, nights=4, seed=5, films=0)


def read(store: Path, table: Table) -> tuple[pd.DataFrame, Counter[str]]:
    rows, reasons = [], Counter[str]()
    for chunk in read_chunks(input_files(Store(str(store)), table.name), table=table.name):
        parsed = parse(chunk.rows, table)
        rows.append(parsed.rows)
        reasons.update(parsed.rejects["reason"])
        reasons.update(why for _, why, _ in chunk.torn)
    return pd.concat(rows, ignore_index=True), reasons


def admit(store: Path, night: date) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Counter[str]]]:
    """The videos and events of a night, and the reasons of all rejects by table."""
    moment = pd.Timestamp(night, tz="UTC")
    videos, video_reasons = read(store, VIDEOS)
    lost = pd.DataFrame({"video_id": pd.Series(dtype="str"), "row_num": pd.Series(dtype="int64")})
    once = admission.admit_newest(videos, lost)
    video_reasons.update(once.rejects["reason"])
    visible, as_of = admission.admit_videos(once.rows, list, moment=moment)
    assert as_of == "current"
    events, reasons = read(store, INTERACTIONS)
    users, _ = read(store, USERS)
    admitted = admission.admit_interactions(
        events,
        visible.rows,
        moment=moment,
        is_forgotten=lambda ids: pd.Series(False, index=ids.index),
        opted_out=set(users.loc[users["opted_out"], "user_id"]),
    )
    kept = admission.admit_once(admitted.rows)
    for rejects in (admitted.rejects, kept.rejects):
        reasons.update(rejects["reason"])
    return visible.rows, kept.rows, {"videos": video_reasons, "interactions": reasons}


def test_both_nights_reject_the_planted_rows_and_no_others(tiny: Path) -> None:
    planted = read_truth(tiny)["rejects"]
    for night in two_nights(tiny):
        _, _, found = admit(tiny, night)
        assert found == {name: Counter(reasons) for name, reasons in planted.items()}


def test_the_second_night_sees_more_events_and_the_new_video(tiny: Path) -> None:
    first, second = two_nights(tiny)
    assert second - first == timedelta(days=1)
    videos_before, events_before, _ = admit(tiny, first)
    videos_after, events_after, _ = admit(tiny, second)
    assert 0 < len(events_before) < len(events_after)
    new = set(videos_after["video_id"]) - set(videos_before["video_id"])
    roles = read_truth(tiny)["videos"]
    assert [roles[video]["role"] for video in new] == ["new"]
    assert not set(events_after["video_id"]) & new


def test_events_lie_after_the_last_night_too(tiny: Path) -> None:
    events, _ = read(tiny, INTERACTIONS)
    assert (events["event_at"] >= pd.Timestamp(two_nights(tiny)[1], tz="UTC")).any()


def test_users_and_queries_have_no_reject_and_the_special_users_are_among_them(tiny: Path) -> None:
    users, reasons = read(tiny, USERS)
    _, query_reasons = read(tiny, QUERIES)
    assert not reasons
    assert not query_reasons
    events, _ = read(tiny, INTERACTIONS)
    roles = {user: said["role"] for user, said in read_truth(tiny)["users"].items()}
    assert users.loc[users["opted_out"], "user_id"].map(roles).tolist() == ["opted out"]
    silent = set(users["user_id"]) - set(events["user_id"])
    assert "no history" in {roles[user] for user in silent}


def test_every_uri_is_a_file_and_one_video_has_none(tiny: Path) -> None:
    videos, _ = read(tiny, VIDEOS)
    uris = set(videos["uri"])
    assert "" in uris
    assert {path.name for path in (tiny / "inputs" / "media").glob("*.mp4")} == uris - {""}


def test_the_same_size_and_seed_give_the_same_bytes(tiny: Path, tmp_path: Path) -> None:
    said = world_of(tiny)
    assert said is not None
    said.pop("version")
    render_world(tmp_path, Size(**said))
    files = {path.relative_to(tiny) for path in tiny.rglob("*") if path.is_file()}
    assert files == {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    differing = [f for f in files if (tiny / f).read_bytes() != (tmp_path / f).read_bytes()]
    assert differing == []


def test_another_seed_gives_another_world(tiny_world: World) -> None:
    other = plan_world(BARE)
    assert not other.events.equals(tiny_world.events)


def test_a_world_that_is_there_is_left_alone(tmp_path: Path) -> None:
    assert render_world(tmp_path, BARE)
    marker = tmp_path / "inputs" / "marker"
    marker.write_text("kept")
    assert not render_world(tmp_path, BARE)
    assert marker.exists()


def test_another_world_moves_the_old_one_and_its_runs_aside(tmp_path: Path) -> None:
    render_world(tmp_path, BARE)
    (tmp_path / "runs").mkdir()
    assert render_world(tmp_path, Size(videos=9, users=6, nights=4, seed=5, films=0))
    assert (tmp_path / "former-world" / "runs").is_dir()
    assert (tmp_path / "former-world" / "inputs" / "videos.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "demo_truth", "former-world", "inputs",
    ]  # fmt: skip


def test_inputs_that_no_demo_wrote_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    with pytest.raises(InputError, match="no demo wrote"):
        render_world(tmp_path, BARE)
    assert [path.name for path in tmp_path.iterdir()] == ["inputs"]


def test_a_failure_leaves_the_old_world_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render_world(tmp_path, BARE)
    before = world_of(tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(worlds, "write_truth", fail)
    with pytest.raises(OSError, match="disk full"):
        render_world(tmp_path, Size(videos=9, users=6, nights=4, films=0))
    assert world_of(tmp_path) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo_truth", "inputs"]


def test_nights_of_a_store_without_a_world_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="render one"):
        two_nights(tmp_path)

"""What bad input gets: one clear line, exit code 1, nothing half-written, nothing lost."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from vidrec_tasks.__main__ import main
from vidrec_tasks.store.leases import Lease
from vidrec_tasks.store.store import Store

NIGHT = "2026-09-01"
VIDEOS = "video_id,title,published_at\nv1,A cat,2026-01-01\nv2,A rocket,2026-01-02\n"
EVENTS = (
    "user_id,video_id,event_at,event_type,watched_s\n"
    "u1,v1,2026-08-20T10:00:00Z,play,9\n"
    "u2,v2,2026-08-25T10:00:00Z,play,9\n"
)

Run = Callable[..., tuple[int, str]]
Tree = dict[str, bytes]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the inputs of a good night."""
    folder = tmp_path / "store"
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "videos.csv").write_text(VIDEOS)
    (folder / "inputs" / "interactions.csv").write_text(EVENTS)
    monkeypatch.setenv("VIDREC_STORE_URL", str(folder))
    return folder


@pytest.fixture
def run(caplog: pytest.LogCaptureFixture) -> Run:
    """Run a command; gives its exit code and the last error it logged."""

    def run_command(*words: str) -> tuple[int, str]:
        caplog.clear()
        caplog.set_level(logging.INFO)
        code = main(words)
        errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
        assert len(errors) == (1 if code else 0), errors
        return code, errors[-1] if errors else ""

    return run_command


def tree(store: Path) -> Tree:
    """Every file of the store but locks: what must not change when a command fails."""
    files = (path for path in store.rglob("*") if path.is_file())
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in files
        if "locks" not in path.relative_to(store).parts
    }


def assert_nothing_half_written(store: Path) -> None:
    """No run was opened, no artefact lacks its commit, no file was left beside its place."""
    assert not [name for name in tree(store) if name.startswith(("runs/", "nights/"))]
    for folder in store.glob("artefacts/*/*"):
        assert (folder / "_artefact.json").exists(), folder
    assert not [path for path in store.rglob(".*") if path.is_file()]
    assert not list(store.glob("locks/*.json")), "the lease was not given back"


@pytest.mark.parametrize("command", ["validate_inputs", "night"])
@pytest.mark.parametrize("table", ["videos", "interactions"])
def test_a_missing_table_is_named_with_the_place_it_belongs_to(
    store: Path, run: Run, table: str, command: str
) -> None:
    (store / "inputs" / f"{table}.csv").unlink()
    code, said = run(command, "--night", NIGHT)
    assert code == 1
    assert f"1 of 2 tables are missing (first: {table})" in said
    assert f"into {store / 'inputs'}" in said
    assert_nothing_half_written(store)


def test_a_wrong_column_is_named_with_its_neighbour(store: Path, run: Run) -> None:
    (store / "inputs" / "interactions.csv").write_text(EVENTS.replace("user_id", "userid"))
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert "first: user_id" in said
    assert "rename 'userid'?" in said
    assert "row_num" not in said  # the file has no such column
    assert_nothing_half_written(store)


def test_a_table_that_is_mostly_wrong_stops_the_night(store: Path, run: Run) -> None:
    bad = EVENTS + "u3,v1,yesterday,play,9\n" * 4
    (store / "inputs" / "interactions.csv").write_text(bad)
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert "4 of 6 rows are wrong, more than 20%" in said
    assert "yesterday" in said
    assert_nothing_half_written(store)


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("interactions.csv", b"", "interactions.csv is empty: not even a header"),
        ("videos.parquet", b"PAR1 is not enough", "videos.parquet cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    store: Path, run: Run, name: str, content: bytes, part: str
) -> None:
    (store / "inputs" / f"{name.split('.')[0]}.csv").unlink()
    (store / "inputs" / name).write_bytes(content)
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert part in said
    assert "export it again" in said
    assert_nothing_half_written(store)


def test_a_table_that_is_there_twice_is_refused(store: Path, run: Run) -> None:
    (store / "inputs" / "videos.jsonl").write_text('{"video_id": "v9"}\n')
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert "videos: is there 2 times (videos.csv, videos.jsonl); keep one" in said
    assert_nothing_half_written(store)


def test_a_night_without_events_is_empty(store: Path, run: Run) -> None:
    (store / "inputs" / "interactions.csv").write_text(EVENTS.splitlines()[0] + "\n")
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert f"night {NIGHT}: none of 0 interactions can be used" in said
    assert_nothing_half_written(store)


def test_a_night_before_any_event_says_so(store: Path, run: Run) -> None:
    code, said = run("validate_inputs", "--night", "2026-08-01")
    assert code == 1
    assert "none of 2 interactions can be used (2 are at or after the night" in said
    assert "choose a later night" in said
    assert_nothing_half_written(store)


def test_a_night_before_any_video_says_so(store: Path, run: Run) -> None:
    code, said = run("validate_inputs", "--night", "2025-08-01")
    assert code == 1
    assert "none of 2 videos was published before it" in said
    assert_nothing_half_written(store)


def test_an_unknown_setting_stops_before_anything_is_touched(
    store: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDREC_RECOMENDING__N", "5")
    before = tree(store)
    code, said = run("night", "--night", NIGHT)
    assert code == 1
    assert "VIDREC_RECOMENDING__N" in said
    assert "did you mean VIDREC_RECOMMENDING__N?" in said
    assert tree(store) == before


def test_a_store_that_cannot_be_written_is_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a file where a folder should be: root may write anywhere else
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("VIDREC_STORE_URL", str(tmp_path / "file" / "store"))
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert "cannot be written" in said
    assert "VIDREC_STORE_URL" in said
    assert (tmp_path / "file").read_text() == "mine"


def test_a_store_with_a_broken_file_is_named(store: Path, run: Run) -> None:
    (store / "nights").mkdir()
    (store / "nights" / f"{NIGHT}.json").write_text("{half")
    code, said = run("validate_inputs", "--night", NIGHT)
    assert code == 1
    assert f"nights/{NIGHT}.json is not JSON" in said


@pytest.mark.parametrize("command", ["validate_inputs", "night"])
def test_a_second_run_of_a_night_waits_for_the_first(store: Path, run: Run, command: str) -> None:
    lease = Lease(Store(str(store)), date.fromisoformat(NIGHT), owner="airflow:a", lease_s=60)
    lease.take()
    held = lease.path.read_bytes()
    before = tree(store)
    code, said = run(command, "--night", NIGHT)
    assert code == 1
    assert f"night {NIGHT}: a run is under way, owned by airflow:a" in said
    assert lease.path.read_bytes() == held, "the first run lost its lease"
    assert tree(store) == before
    lease.release()
    assert run("validate_inputs", "--night", NIGHT) == (0, "")


def test_a_job_before_its_time_names_the_job_to_run_first(store: Path, run: Run) -> None:
    code, said = run("extract_keyframes", "--night", NIGHT)
    assert code == 1
    assert f"night {NIGHT}: no run is open; run validate_inputs first" in said
    assert_nothing_half_written(store)


def test_inputs_that_broke_after_a_good_night_lose_nothing(store: Path, run: Run) -> None:
    assert run("validate_inputs", "--night", NIGHT) == (0, "")
    (store / "inputs" / "interactions.csv").write_text("nothing,of\nuse,here\n")
    before = tree(store)
    assert run("validate_inputs", "--night", NIGHT, "--refresh")[0] == 1
    assert tree(store) == before
    # without a refresh the night is made of what was pinned
    assert run("validate_inputs", "--night", NIGHT) == (0, "")


def test_an_import_from_nowhere_changes_nothing(store: Path, run: Run) -> None:
    before = tree(store)
    code, said = run("import_data", "--preset", "gorse", "--from", str(store / "nowhere"))
    assert code == 1
    assert "is there and was not written by an import" in said or "is not a folder" in said
    assert tree(store) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["night", "--night", "tomorrow"], "'tomorrow' is not a day like 2026-09-01"),
        (["paint_lists", "--night", NIGHT], "invalid choice: 'paint_lists'"),
        (["validate_inputs"], "--night"),
    ],
)
def test_a_command_that_is_none_is_refused_with_usage(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert part in capsys.readouterr().err


def test_a_person_at_a_terminal_sees_one_line_and_no_traceback(store: Path, root: Path) -> None:
    (store / "inputs" / "videos.csv").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "vidrec_tasks", "night", "--night", NIGHT],
        env={**os.environ, "VIDREC_STORE_URL": str(store)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "first: videos" in line

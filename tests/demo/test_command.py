"""The command line of the demo."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidrec_tasks.__main__ import main
from vidrec_tasks.demo import showing
from vidrec_tasks.demo.command import add_arguments, nights


def test_the_defaults_are_the_documented_ones() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    said = vars(parser.parse_args(["--into", "x"]))
    assert said == {
        "into": Path("x"), "videos": 60, "users": 200, "nights": 14, "seed": 7, "films": -1,
    }  # fmt: skip


def test_a_world_is_rendered_and_its_nights_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = f"demo --into {tmp_path} --videos 8 --users 6 --nights 4 --films 0"
    assert main(arguments.split()) == 0
    assert main(["demo_nights", "--into", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == ["2026-08-31", "2026-09-01"]
    assert [night.isoformat() for night in nights(tmp_path)] == ["2026-08-31", "2026-09-01"]


def test_a_world_that_is_too_small_ends_with_an_error(tmp_path: Path) -> None:
    assert main(["demo", "--into", str(tmp_path), "--users", "1"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_a_title_says_to_a_terminal_is_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "  1. v1 \x1b]0;owned\x07\x1b[31m red \u202eback\u2069 half \ud800 \x9b2J"
    plain = "\t 面包　正在发酵 👩\u200d🍳 naïve"
    monkeypatch.setattr(showing, "show", lambda write, **_: [write(hostile), write(plain)])
    assert main(["show"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (
        first == "  1. v1 \ufffd]0;owned\ufffd\ufffd[31m red \ufffdback\ufffd half \ufffd \ufffd2J"
    )
    assert second == plain


def test_what_an_error_repeats_of_a_file_is_not_obeyed(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    rows = "".join(f"v{num},\x1b]0;owned\x07 \u202e\xe9\n" for num in range(9))
    damaged = f"video_id,title\n{rows}".encode().replace(b"\xc3\xa9", b"\xe9")
    (tmp_path / "inputs" / "videos.csv").write_bytes(damaged)
    job = [sys.executable, "-m", "vidrec_tasks", "validate_inputs", "--night", "2026-09-01"]
    settings = {"VIDREC_STORE_URL": str(tmp_path), "VIDREC_INPUTS__NEED_INTERACTIONS": "false"}
    ended = subprocess.run(job, env={**os.environ, **settings}, capture_output=True, check=False)
    said = ended.stderr.decode()
    assert "videos.csv is not UTF-8" in said
    assert "first: v0,\ufffd]0;owned\ufffd \ufffd" in said
    assert set("\x1b\x07\u202e").isdisjoint(said)

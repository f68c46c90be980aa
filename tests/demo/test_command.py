"""The command line of the demo."""

import argparse
from pathlib import Path

import pytest

from vidrec_tasks.__main__ import main
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

"""All benchmarks: figures beside their targets, failures and what was not run in the open."""

import json
from pathlib import Path

import pytest

from benchmarks import every
from benchmarks.every import BENCHES, Bench, machine, run_one
from benchmarks.every_page import TARGETS, holds, page_of


def keep(folder: Path, name: str, **found: object) -> None:
    (folder / f"{name}.json").write_text(json.dumps(found))
    said = {"machine": machine(), "exit_code": 0, "seconds": 12.3}
    (folder / f"{name}.run.json").write_text(json.dumps(said))


def test_a_figure_stands_beside_its_target_with_the_verdict(tmp_path: Path) -> None:
    keep(tmp_path, "retrieval", figures={"r@1": 0.5, "r@5": 0.6, "n": 91, "how": "words"})
    page = page_of(tmp_path, ["retrieval"])
    assert "| r@1 | 0.5 | >= 0.42 | reached |" in page
    assert "| r@5 | 0.6 | >= 0.68 | missed |" in page
    assert "| n | 91 |  |  |" in page
    assert "words" not in page


def test_what_was_asked_for_and_is_not_there_is_said(tmp_path: Path) -> None:
    keep(tmp_path, "retrieval", figures={"r@1": None})
    assert "| r@1 | not measured | >= 0.42 |  |" in page_of(tmp_path, ["retrieval"])


def test_systems_are_a_table_with_the_best_first(tmp_path: Path) -> None:
    systems = {"popular": {"ndcg@10": 0.02}, "vidrec": {"ndcg@10": 0.1}}
    keep(tmp_path, "quality-loo", systems=systems, ratios={"ndcg_vs_best_peer": 2.0})
    page = page_of(tmp_path, ["quality-loo"])
    assert page.index("| vidrec | 0.1 |") < page.index("| popular | 0.02 |")


def test_what_needs_data_waits_for_it_and_keeps_an_earlier_figure(tmp_path: Path) -> None:
    bench = Bench("retrieval", "retrieval", (), "videos")
    assert run_one(bench, tmp_path, None)["not_run"] == "needs videos in --data"
    assert "Not run: needs videos in --data." in page_of(tmp_path, ["retrieval"])
    keep(tmp_path, "retrieval", figures={"r@1": 0.5})
    run_one(bench, tmp_path, None)
    assert "| r@1 | 0.5 |" in page_of(tmp_path, ["retrieval"])


def test_a_failure_takes_its_earlier_figure_away(tmp_path: Path) -> None:
    keep(tmp_path, "retrieval", figures={"r@1": 0.5})
    said = run_one(Bench("retrieval", "retrieval", ("--no-such-argument",)), tmp_path, None)
    assert said["exit_code"] == 2
    assert "Failed: exit 2" in page_of(tmp_path, ["retrieval"])


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [(1, ">= 1", True), (1, "> 1", False), (0, "<= 0", True), (0.1, "< 0.1", False)],
)
def test_a_target_is_held_to_its_sign(value: float, target: str, expected: bool) -> None:
    assert holds(value, target) is expected


def test_every_benchmark_is_there_and_every_target_is_of_one(root: Path) -> None:
    assert [b.name for b in BENCHES if not (root / "benchmarks" / f"{b.module}.py").exists()] == []
    assert set(TARGETS) <= {bench.name for bench in BENCHES}


def test_an_unknown_name_is_refused_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        every.main(["--out", str(tmp_path), "--only", "speed"])
    assert "first: speed" in capsys.readouterr().err

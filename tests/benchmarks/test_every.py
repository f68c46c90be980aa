"""All benchmarks: figures beside their targets, failures and what was not run in the open."""

import ast
import json
from pathlib import Path

import pytest

from benchmarks import every
from benchmarks.every import BENCHES, Bench, machine, run_one
from benchmarks.every_page import TARGETS, holds, page_of, write_page
from vidrec_tasks.importing import command


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


@pytest.mark.parametrize(
    ("value", "shown", "verdict"),
    [(1.5, "1.5", "reached"), (1.49996, "1.49996", "missed"), (1.50004, "1.5", "reached")],
)
def test_rounding_does_not_turn_a_verdict(
    value: float, shown: str, verdict: str, tmp_path: Path
) -> None:
    keep(tmp_path, "quality-cold", ratios={"cold_recall_vs_content_knn": value})
    page = page_of(tmp_path, ["quality-cold"])
    assert f"| cold_recall_vs_content_knn | {shown} | >= 1.5 | {verdict} |" in page


def test_what_was_asked_for_and_is_not_there_is_said(tmp_path: Path) -> None:
    keep(tmp_path, "retrieval", figures={"r@1": None})
    assert "| r@1 | not measured | >= 0.42 |  |" in page_of(tmp_path, ["retrieval"])


def test_what_was_not_run_keeps_what_the_page_said_and_what_failed_does_not(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    names = ["content", "retrieval", "search"]
    for name in ("retrieval", "search"):
        keep(first, name, figures={"r@1": 0.5})
    into = tmp_path / "page.md"
    write_page(first, names, into)
    keep(second, "search", figures={"mrr": 0.25})
    write_page(second, names, into)
    sections = dict(part.split("\n", 1) for part in into.read_text().split("\n## ")[1:])
    assert list(sections) == names
    assert "Not run." in sections["content"]
    assert "| r@1 | 0.5 | >= 0.42 | reached |" in sections["retrieval"]
    assert "| mrr | 0.25 |" in sections["search"]
    assert "r@1" not in sections["search"]
    once = into.read_text()
    write_page(second, names, into)
    assert into.read_text() == once
    (second / "retrieval.run.json").write_text(json.dumps({"exit_code": 1, "seconds": 3}))
    write_page(second, names, into)
    assert "Failed: exit 1" in into.read_text()
    assert "| r@1 | 0.5 |" not in into.read_text()


def test_why_a_figure_is_not_what_it_was_meant_to_be_stands_beside_it(tmp_path: Path) -> None:
    reasons = {"frames_vs_fp32": "no bfloat16", "second_night_share": "no ffmpeg"}
    keep(tmp_path, "content", ratios={"frames_vs_fp32": 2.8}, figures={"reasons": reasons})
    page = page_of(tmp_path, ["content"])
    assert "| frames_vs_fp32 | 2.8 | >= 4 | missed: no bfloat16 |" in page
    assert "| second_night_share | not measured | <= 0.03 | no ffmpeg |" in page


def test_figures_of_a_run_that_ended_badly_say_so(tmp_path: Path) -> None:
    keep(tmp_path, "retrieval", figures={"r@1": 0.5})
    (tmp_path / "retrieval.run.json").write_text(json.dumps({"exit_code": 1, "seconds": 3}))
    assert "It ended with exit 1" in page_of(tmp_path, ["retrieval"])


def test_what_was_measured_in_several_worlds_stands_beside_the_worse_of_them(
    tmp_path: Path,
) -> None:
    worlds = {"demo": {"ratios": {"portrait_identifies": 1.0}, "figures": {"n": 3}},
              "movielens": {"ratios": {"portrait_identifies": 4.0}, "figures": {}}}  # fmt: skip
    worse = {"ratios": {"portrait_identifies": 1.0}, "figures": {"n": 3}}
    keep(tmp_path, "language", **worse, worlds=worlds)
    page = page_of(tmp_path, ["language"])
    assert "| figure | value, the worse | demo | movielens | target |  |" in page
    assert "| portrait_identifies | 1 | 1 | 4 | >= 2 | missed |" in page
    assert "| n | 3 | 3 | not measured |  |  |" in page


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


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.name)
def test_a_benchmark_takes_the_arguments_it_is_given(bench: Bench, root: Path) -> None:
    given = {word for word in (*bench.arguments, *bench.quick, "--json") if word[:2] == "--"}
    assert given - taken_by(root / "benchmarks" / f"{bench.module}.py") == set()


def taken_by(path: Path) -> set[str]:
    """The options that a module adds to its parser, itself or by the command line of imports."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    adds = [c for c in calls if getattr(c.func, "attr", "") == "add_argument"]
    own = {word.value for call in adds for word in call.args if isinstance(word, ast.Constant)}
    imports = any(getattr(call.func, "id", "") == "add_arguments" for call in calls)
    return own | (taken_by(Path(command.__file__)) if imports else set())


def test_every_target_is_of_a_figure_that_some_benchmark_writes(root: Path) -> None:
    pages = ("every.py", "every_page.py")
    source = "".join(
        path.read_text() for path in (root / "benchmarks").glob("*.py") if path.name not in pages
    )
    names = {key.rpartition(".")[2] for targets in TARGETS.values() for key in targets}
    assert [name for name in sorted(names) if f'"{name}"' not in source] == []


def test_a_quick_run_is_small_and_leaves_the_page_of_docs_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Bench("stub", "stub", ("--n", "9"), quick=("--n", "2"))
    monkeypatch.setattr(every, "BENCHES", (small, Bench("away", "stub", (), "videos")))
    monkeypatch.setattr(every, "ROOT", tmp_path)
    monkeypatch.setattr(every, "PAGE", tmp_path / "docs.md")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "stub.py").write_text(STUB)
    out = tmp_path / "out"
    assert every.main(["--out", str(out), "--quick"]) == 0
    assert not (tmp_path / "docs.md").exists()
    page = (out / "BENCHMARKS.md").read_text()
    assert "| n | 2 |" in page
    assert "these figures say nothing" in page
    assert "Not run: needs videos in --data." in page
    assert every.main(["--out", str(out), "--only", "stub"]) == 0
    whole = (tmp_path / "docs.md").read_text()
    assert "| n | 9 |" in whole
    assert "these figures say nothing" not in whole
    said = json.loads((out / "stub.run.json").read_text())
    assert said["exit_code"] == 0
    assert set(said["machine"]) >= {"processor", "cores", "memory_gib", "load_before", "versions"}
    assert str(tmp_path) not in (out / "BENCHMARKS.md").read_text()


STUB = """
import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--n", type=int)
parser.add_argument("--json")
asked = parser.parse_args()
with open(asked.json, "w") as file:
    json.dump({"ratios": {}, "figures": {"n": asked.n}}, file)
"""
"""A benchmark that says what it was asked."""

"""What runs before a commit is what `make check` runs, from this checkout's own environment."""

import re
from pathlib import Path

import yaml


def test_hooks_fetch_nothing_and_run_what_make_check_runs(root: Path) -> None:
    said = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert {repository["repo"] for repository in said["repos"]} == {"local"}
    hooks = [hook for repository in said["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    entries = {re.sub(r" --force-exclude$", "", hook["entry"]) for hook in hooks}
    check = (root / "Makefile").read_text(encoding="utf-8").split("\ncheck:")[1].split("\n\n")[0]
    asked = {line.strip().removesuffix(" .") for line in check.splitlines()[1:]}
    assert entries == asked


def test_the_quick_tests_name_what_is_there(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    fast = makefile.split("\nFAST = ")[1].split("\n#")[0]
    named = [word for word in fast.split() if word.startswith("tests/")]
    assert len(named) > 5
    long = re.findall(r"--ignore=tests/recommending/test_,([\w. ]+)\)", makefile)[0].split()
    named += [f"tests/recommending/test_{name}" for name in long]
    assert [name for name in named if not (root / name).exists()] == []

"""What runs before a commit is what `make check` runs, from this checkout's own environment."""

import ast
import re
from collections.abc import Iterator
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


def test_what_a_module_takes_of_the_library_is_public_by_its_name(root: Path) -> None:
    folders = ("vidrec_tasks", "dags", "plugins", "scripts", "tests", "benchmarks")
    files = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    assert len(files) > 500
    assert [f"{path}: {name}" for path in files for name in private_names(path)] == []


def private_names(path: Path) -> Iterator[str]:
    """The underscored names of the library that a module imports, or asks an import for."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imported = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vidrec_tasks"):
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from (name for name in imported.values() if re.search(r"\._(?!_)", name))
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{imported.get(node.value.id, '')}.{node.attr}"
            if re.match(r"vidrec_tasks.*\._(?!_)\w+$", name):
                yield name

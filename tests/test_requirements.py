"""Requirements: each asked for on purpose, each pinned, nothing imported that nobody asked for."""

import ast
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

FILES = {
    f"requirements{kind}.in": f"requirements{kind}.txt"
    for kind in ("", "-demo", "-dev", "-cluster", "-e2e")
}
NOT_IMPORTED = {
    "apache-airflow-providers-standard", "psycopg",  # found by Airflow and SQLAlchemy by name
    "check-jsonschema", "import-linter", "mypy", "pandas-stubs", "pip-licenses", "pytest-socket",
    "pytest-xdist", "ruff", "types-pyyaml",  # programs and types
    "omegaconf", "onnxruntime", "pyclipper", "shapely",  # of rapidocr, which comes --no-deps
    "apache-airflow-providers-cncf-kubernetes", "apache-airflow-providers-fab", "s3fs",
    "boto3", "moto", "flask-cors",  # in .venv-cluster alone
}  # fmt: skip


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(path: Path) -> dict[str, str]:
    """Package -> purpose."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    found = {}
    for line in lines:
        named, _, purpose = line.partition("#")
        found[normal(re.split(r"[\[=<> ]", named)[0])] = purpose.strip()
    return found


def pinned(path: Path) -> set[str]:
    lines = path.read_text().splitlines()
    names = (re.split(r"==|\[", line)[0] for line in lines if "==" in line and line[0] != "#")
    return {normal(name) for name in names}


@pytest.mark.parametrize(("asked", "lock"), FILES.items())
def test_each_package_has_a_purpose_and_a_pin(root: Path, asked: str, lock: str) -> None:
    packages = asked_for(root / asked)
    assert [name for name, purpose in packages.items() if not purpose] == []
    assert set(packages) - pinned(root / lock) == set()


def test_the_locks_pin_every_line_and_nothing_twice(root: Path) -> None:
    seen: set[str] = set()
    for lock in FILES.values():
        lines = [line for line in (root / lock).read_text().splitlines() if line[0] != "#"]
        assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
        names = {normal(line.split("==")[0]) for line in lines}
        assert len(names) == len(lines)
        assert names & seen == set()
        seen |= names


@pytest.mark.parametrize("listed", ["requirements-models.txt", "requirements-bench.txt"])
def test_what_is_installed_apart_is_pinned_with_its_purpose(root: Path, listed: str) -> None:
    packages = asked_for(root / listed)
    assert [name for name, purpose in packages.items() if not purpose] == []
    assert set(packages) == pinned(root / listed)


def test_the_page_of_dependencies_has_every_package_once_and_no_other(root: Path) -> None:
    page = (root / "docs" / "DEPENDENCIES.md").read_text(encoding="utf-8")
    told = [normal(name) for name in re.findall(r"^\| `([\w.-]+)` \|", page, re.M)]
    files = [*FILES, "requirements-models.txt", "requirements-bench.txt"]
    assert sorted(told) == sorted(name for file in files for name in asked_for(root / file))


def imported(folders: list[Path]) -> set[str]:
    names: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    own = {"vidrec_tasks", "vidrec_ui", "tests", "benchmarks", "scripts", "dags", "plugins"}
    return names - set(sys.stdlib_module_names) - own


def packages_of(names: set[str]) -> dict[str, set[str]]:
    """Imported name -> the packages that bring it."""
    by_name = distributions()
    return {name: {normal(p) for p in by_name.get(name, [])} for name in names}


@cache
def distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()  # 2 s over 250 packages


def test_the_library_imports_only_what_was_asked_for(root: Path) -> None:
    asked = set(asked_for(root / "requirements.in"))
    asked |= pinned(root / "requirements-models.txt")
    brought = packages_of(imported([root / "vidrec_tasks", root / "plugins"]))
    with_airflow = {"fastapi", "starlette", "airflow"}  # the page lives in Airflow's server
    demo = {"skimage", "sklearn"}  # photographs of the demo's films, drawn where they are there
    with_s3fs = {"botocore"}  # which an object store asks for: requirements-cluster.in
    unasked = {n for n, packages in brought.items() if not packages & asked}
    assert unasked - with_airflow - demo - with_s3fs == set()


@pytest.mark.parametrize("asked", FILES)
def test_each_package_that_was_asked_for_is_used(root: Path, asked: str) -> None:
    folders = [root / name for name in ("vidrec_tasks", "plugins", "dags", "tests", "scripts")]
    used = set().union(*packages_of(imported(folders)).values())
    wanted = set(asked_for(root / asked)) - NOT_IMPORTED - {"apache-airflow", "gguf"}
    assert wanted - used == set()

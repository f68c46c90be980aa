"""What a module needs of its package, over packages of a few lines."""

from pathlib import Path

import pytest

from vidrec_tasks.store.imports import all_files, files_needed


def package(folder: Path, **files: str) -> Path:
    """A package ``pkg``; two underscores in a name stand for a slash, its end for ``.py``."""
    root = folder / "pkg"
    for name, text in {"__init__": "", **files}.items():
        path = root / f"{name if name == '__init__' else name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        (path.parent / "__init__.py").touch()
    return root


def needed(root: Path, *modules: str, loader: str = "") -> set[str]:
    files = files_needed(root, modules, loader)
    return {str(path.relative_to(root)) for path in files} - {"__init__.py"}


@pytest.mark.parametrize(
    "line",
    [
        "import pkg.b",
        "from pkg import b",
        "from pkg.b import anything",
        "from . import b",
        "from .b import anything",
        "def late():\n    from pkg.b import anything",
        "if TYPE_CHECKING:\n    import pkg.b as other",
        'COMMAND = ("python", "-m", "pkg.b")',
    ],
)
def test_a_module_needs_what_it_imports_or_starts_by_name(tmp_path: Path, line: str) -> None:
    root = package(tmp_path, a=line, b="import pkg.c", c="import os", d="")
    assert needed(root, "pkg.a") == {"a.py", "b.py", "c.py"}


def test_it_needs_the_packages_above_and_what_those_import(tmp_path: Path) -> None:
    root = package(tmp_path, a="from pkg.inner.deep import x", inner__deep="x = 1", c="", d="")
    (root / "inner" / "__init__.py").write_text("from ..c import y")
    assert needed(root, "pkg.a") == {"a.py", "inner/__init__.py", "inner/deep.py", "c.py"}


def test_modules_may_import_each_other(tmp_path: Path) -> None:
    root = package(tmp_path, a="import pkg.b", b="import pkg.a", c="")
    assert needed(root, "pkg.b") == {"a.py", "b.py"}


@pytest.mark.parametrize(
    "line",
    [
        "importlib.import_module(name)",
        "from importlib import import_module as bring",
        "__import__(name)",
        "exec(text)",
        "from pkg.c import *",
        "from .c import *",
        'start("-m", f"pkg.{name}")',
        'start("-m", "pkg." + name)',
    ],
)
def test_of_a_module_that_cannot_be_read_all_files_are_needed(tmp_path: Path, line: str) -> None:
    root = package(tmp_path, a="import pkg.b", b=line, c="")
    (root / "table.json").touch()
    assert needed(root, "pkg.a") == {"a.py", "b.py", "c.py", "table.json"}


def test_a_module_that_is_not_there_may_need_any_file(tmp_path: Path) -> None:
    root = package(tmp_path, a="", b="")
    assert needed(root, "pkg.gone") == {"a.py", "b.py"}


def test_the_loader_brings_only_what_is_asked_for(tmp_path: Path) -> None:
    loads = 'import_module(f"pkg.jobs.{name}")'
    root = package(tmp_path, run="import pkg.load", load=loads, jobs__one="", jobs__two="")
    files = needed(root, "pkg.jobs.one", "pkg.run", loader="pkg.load")
    assert files == {"run.py", "load.py", "jobs/__init__.py", "jobs/one.py"}


def test_data_beside_a_module_that_asks_where_it_lies_is_needed(tmp_path: Path) -> None:
    root = package(tmp_path, a="import pkg.inner.b", inner__b="HERE = __file__", inner__c="", d="")
    (root / "inner" / "page.html").touch()
    (root / "other.html").touch()
    inner = {f"inner/{name}" for name in ("__init__.py", "b.py", "c.py", "page.html")}
    assert needed(root, "pkg.a") == {"a.py", *inner}


def test_what_python_and_editors_leave_is_no_file_of_a_package(tmp_path: Path) -> None:
    root = package(tmp_path)
    (root / "__pycache__").mkdir()
    for name in ("__pycache__/a.pyc", ".a.py.swp"):
        (root / name).touch()
    assert all_files(root) == {root / "__init__.py"}

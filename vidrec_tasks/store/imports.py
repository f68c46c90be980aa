"""Imports: the files of a package that a module needs, read from the source and never imported.

They are what it imports at any depth and inside functions too, the packages above those, modules
that it names in a text to start them (``python -m``), and data beside a module that asks where it
lies. Where that cannot be read, they are all files of the package.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

UNREADABLE: Final = frozenset(
    {"import_module", "__import__", "spec_from_file_location", "run_module", "run_path", "exec"}
)
"""What imports by a name that is put together at run time."""


class _CannotTellError(Exception):
    """What a module imports is not in its source."""


def all_files(root: Path) -> frozenset[Path]:
    """All files of a package: its modules, and what lies beside them."""
    return frozenset(
        path for path in root.rglob("[!.]*") if path.is_file() and path.parent.name != "__pycache__"
    )


@cache
def files_needed(root: Path, modules: tuple[str, ...], loader: str = "") -> frozenset[Path]:
    """The files of a package that modules of it need.

    Args:
        root: the package's folder.
        modules: their full names; one that is not there needs all files.
        loader: the module that imports others by name, where those are among ``modules``.
    """
    known = _modules_of(root)
    found: set[str] = set()
    needed: set[Path] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name not in known:
            return all_files(root)
        needed.add(known[name])
        try:
            mentioned, has_data = _mentioned(root, name, is_loader=name == loader)
        except _CannotTellError:
            return all_files(root)
        waiting += mentioned
        needed |= all_files(known[name].parent) if has_data else frozenset()
    return frozenset(needed)


@cache
def _modules_of(root: Path) -> dict[str, Path]:
    """Full name -> file of the modules of a package; of a package in it the ``__init__``."""
    found = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def _mentioned(root: Path, name: str, *, is_loader: bool) -> tuple[frozenset[str], bool]:
    """The modules of the package that a module mentions, and whether it asks where it lies.

    Raises:
        _CannotTellError: it imports what its source does not name.
    """
    known = _modules_of(root)
    path = known[name]
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    if not is_loader and any(_is_unreadable(node, root.name) for node in nodes):
        raise _CannotTellError
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    named = {name, *(one for node in nodes for one in _names_in(node, package))}
    parents = {".".join(parts[:n]) for parts in map(_parts, named) for n in range(1, len(parts))}
    has_data = any(isinstance(node, ast.Name) and node.id == "__file__" for node in nodes)
    return frozenset((named | parents) & known.keys()), has_data


def _names_in(node: ast.AST, package: str) -> Iterator[str]:
    """What may be modules, by their full names, in one node of a module of a package."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            parts = _parts(package)
            above = parts[: len(parts) - level + 1] if level else []
            base = ".".join([*above, *([module] if module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in names)
        case ast.Constant(value=str(text)):
            yield text


def _is_unreadable(node: ast.AST, package: str) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name in UNREADABLE
        case ast.ImportFrom(module=module, level=level, names=names):
            is_ours = level > 0 or _parts(module or "")[0] == package
            return is_ours and any(alias.name == "*" for alias in names)
        case ast.Constant(value=str(text)):  # the beginning of a name
            return text.startswith(f"{package}.") and text.endswith(".")
    return False


def _parts(name: str) -> list[str]:
    return name.split(".")

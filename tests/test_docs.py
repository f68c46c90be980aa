"""The generated pages of docs/ say what the code says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.airflow
def test_the_generated_pages_are_fresh(root: Path, tmp_path: Path) -> None:
    """In a process of its own: the DAG page needs a DAG bag, which tests of DAGs change."""
    code = (
        "from scripts.docs import pages\n"
        "from pathlib import Path\n"
        "stale = [n for n, page in pages().items() if Path('docs', n).read_text() != page()]\n"
        "raise SystemExit(f'run make docs: {stale} are stale' if stale else 0)\n"
    )
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_what_the_readme_links_to_is_there(root: Path) -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", (root / "README.md").read_text(encoding="utf-8"))
    assert [path for path in linked if not (root / path).exists()] == []


def test_each_picture_of_the_docs_is_shown_and_small(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    for path in (root / "docs" / "images").iterdir():
        assert str(path.relative_to(root)) in readme
        assert path.stat().st_size < 300_000, path.name

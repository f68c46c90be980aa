"""The generated pages of docs/ say what the code says."""

import os
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

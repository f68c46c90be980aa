"""What every test shares: no network, no hub, no settings from outside, and the real data."""

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:  # several processes share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="vidrec-airflow-")
for name in [name for name in os.environ if name.startswith("VIDREC_")]:
    del os.environ[name]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real data beside the checkout; the tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with few and long tests first, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: not {"end_to_end", "jobs"} & set(item.path.parts))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the fault matrix of tests/publishing, whichever process its tests ran in."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    faults = [
        said
        for report in reports
        if report.when == "call"
        for name, said in report.user_properties
        if name == "fault"
    ]
    if not faults:
        return
    rows = [("database", "fault", "a reader saw", "lost"), *faults]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    terminalreporter.section("faults while publishing")
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        terminalreporter.line(" | ".join(cells).rstrip())

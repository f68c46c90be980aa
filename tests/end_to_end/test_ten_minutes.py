"""The README's ten minutes, run as they stand there."""

import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

SECTION = "## Your own catalogue and logs, in ten minutes"


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shown(root: Path, readme: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The store and the output; only the model's sentences are left out, which take longest."""
    store = tmp_path_factory.mktemp("ten") / "mine"
    (block,) = re.findall(r"```bash\n(.*?)```", readme.split(SECTION)[1].split("\n## ")[0], re.S)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], cwd=root, capture_output=True, text=True,
        check=False,
        env={
            **os.environ, "VIDREC_STORE_URL": str(store), "VIDREC_LANGUAGE__MAX_SENTENCES": "0",
            "OMP_NUM_THREADS": "1",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return store, done.stdout


def test_the_lists_of_the_readme_are_shown(shown: tuple[Path, str]) -> None:
    assert "Because you watched “Sourdough for beginners”, also about “baking”." in shown[1]
    first = shown[1].split("\nu3 ")[1].splitlines()[1]
    assert "v2 Croissants at home" in first


def test_the_queries_of_the_readme_answer_from_it(shown: tuple[Path, str], readme: str) -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", readme, re.S)
    statements = [text for text in re.sub("--.*", "", block).split(";") if text.strip()]
    with sqlite3.connect(shown[0] / "results.sqlite") as database:
        known, somebody, similar = (
            database.execute(text.replace("u0125", user).replace("v042", "v1")).fetchall()
            for text, user in zip(statements, ("u1", "a stranger", ""), strict=True)
        )
    assert {row[1] for row in known} == {"v3", "v4", "v5", "v6"}
    assert len(somebody) == 6
    assert len(similar) > 0

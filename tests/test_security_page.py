"""docs/SECURITY.md names a test for every line of what is checked."""

import re
from pathlib import Path


def test_every_test_that_the_page_names_exists(root: Path) -> None:
    page = (root / "docs" / "SECURITY.md").read_text(encoding="utf-8")
    checked = page.split("## What is checked")[1].split("## What is not")[0]
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", checked)
    assert len(named) > 20
    lost = [
        f"{path}::{test}"
        for path, test in named
        if test and f"def {test}(" not in (root / path).read_text("utf-8")
    ]
    assert lost == []
    assert [path for path, _ in named if not (root / path).exists()] == []
    rows = [line for line in checked.splitlines() if line.startswith("| ")][1:]
    assert [row for row in rows if "`tests/" not in row] == []

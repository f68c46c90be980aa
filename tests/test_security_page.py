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
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.split(" | ")[-1]] == []


def test_each_limit_that_can_be_shown_names_its_test(root: Path) -> None:
    page = (root / "docs" / "SECURITY.md").read_text(encoding="utf-8")
    limits = page.split("## What is not")[1].split("\n* ")[1:]
    named = {limit: re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", limit) for limit in limits}
    every = [pair for pairs in named.values() for pair in pairs]
    lost = [(p, test) for p, test in every if test and f"def {test}(" not in (root / p).read_text()]
    assert lost == []
    left_to_others = [limit for limit, pairs in named.items() if not pairs]
    assert all(" left to " in limit or "trusted" in limit for limit in left_to_others), (
        left_to_others
    )

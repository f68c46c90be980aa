"""The runbook quotes what the program says, and names what there is."""

import ast
import re
from pathlib import Path

import pytest

from vidrec_tasks.__main__ import main

QUOTE = re.compile(r"^\| `([^`]+)` \|", re.M)


@pytest.fixture(scope="module")
def runbook(root: Path) -> str:
    return (root / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def said(root: Path) -> list[str]:
    """Every text of the library, with … for what is filled in."""
    texts = []
    for path in (root / "vidrec_tasks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [v.value if isinstance(v, ast.Constant) else "…" for v in node.values]
                texts.append("".join(str(part) for part in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def test_each_sign_is_a_text_of_the_program(runbook: str, said: list[str]) -> None:
    quotes = [quote for quote in QUOTE.findall(runbook) if quote != "database is locked"]
    assert len(quotes) > 25
    patterns = {q: ".*".join(re.escape(part.strip()) for part in q.split("…")) for q in quotes}
    assert [q for q, p in patterns.items() if not any(re.search(p, t, re.S) for t in said)] == []


def test_the_commands_of_the_runbook_exist(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = set(re.findall(r"python -m vidrec_tasks (\w+)", runbook))
    commands |= {"publish_lists", "extract_keyframes", "build_content_index", "train_models"}
    with pytest.raises(SystemExit):
        main(["--help"])
    known = capsys.readouterr().out
    assert commands >= {"night", "show", "rollback"}
    assert [name for name in commands if not re.search(rf"\b{name}\b", known)] == []


def test_the_settings_of_the_runbook_exist(runbook: str, root: Path) -> None:
    settings = (root / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    named = set(re.findall(r"VIDREC_[A-Z_]+[A-Z]", runbook)) - {"VIDREC_ENCODING_QUEUE"}
    assert [name for name in named if name not in settings] == []

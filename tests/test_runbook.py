"""The runbook quotes what the program says, and names what there is."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_compose import ASK_AIRFLOW
from vidrec_tasks.__main__ import main

QUOTE = re.compile(r"^\| `([^`]+)`[^|]* \|", re.M)
COMMAND = re.compile(r"(?:`|^)((?:python -m vidrec_tasks|airflow) [^`\n…]+?)(?:`|$)", re.M)
PLACES = {"DATE": "2026-09-01", "ID": "x", "RUN": "x", "NAME": "x"}


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


def test_each_symptom_is_a_text_of_the_program(runbook: str, said: list[str]) -> None:
    quotes = [quote for quote in QUOTE.findall(runbook) if quote != "database is locked"]
    assert len(quotes) > 50
    patterns = {q: ".*".join(re.escape(part.strip()) for part in q.split("…")) for q in quotes}
    assert [q for q, p in patterns.items() if not any(re.search(p, t, re.S) for t in said)] == []


def test_every_test_that_the_runbook_names_exists(runbook: str, root: Path) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", runbook)
    assert len(named) > 30
    texts = {path: (root / path).read_text(encoding="utf-8") for path, _ in named}
    lost = [(path, test) for path, test in named if test and f"def {test}(" not in texts[path]]
    assert lost == []


def test_each_symptom_names_its_test_but_one_that_was_seen_by_hand(runbook: str) -> None:
    chapters = [c for c in runbook.split("\n## ") if "| symptom | cause | next step |" in c]
    assert len(chapters) == 6
    lines = [line for chapter in chapters for line in chapter.splitlines() if line[:2] == "| "]
    assert len(lines) > 80
    of_symptom = {line.split(" | ")[0]: line.split(" | ")[-1] for line in lines}
    without = [symptom for symptom, last in of_symptom.items() if "`tests/" not in last]
    assert without == ["| symptom", "| `database is locked`"]
    assert of_symptom["| `database is locked`"] == "seen by hand |"


def test_the_commands_of_the_runbook_exist(
    runbook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    known = capsys.readouterr().out
    jobs = ("publish_lists", "extract_keyframes", "build_content_index", "train_models")
    assert [name for name in jobs if not re.search(rf"\b{name}\b", known)] == []
    asked = [words[3:] for words in commands(runbook) if words[0] == "python"]
    assert {words[0] for words in asked} >= {"night", "show", "rollback", "migrate"}
    for words in asked:
        with pytest.raises(SystemExit) as ended:  # --help ends it before anything is done
            main([*words, "--help"])
        assert ended.value.code == 0, words
        options = {word for word in words if word.startswith("--")}
        said = capsys.readouterr().out
        assert [option for option in options if option not in said] == []


@pytest.mark.airflow
def test_airflow_knows_the_commands_of_the_runbook(runbook: str, tmp_path: Path) -> None:
    asked = [words[1:] for words in commands(runbook) if words[0] == "airflow"]
    assert len(asked) > 5
    answer = subprocess.run(
        [sys.executable, "-c", ASK_AIRFLOW],
        input=json.dumps({"commands": asked, "names": []}),
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-2_000:]


def commands(runbook: str) -> list[list[str]]:
    """Each command that the runbook shows, in words, with its places filled in."""
    shown = COMMAND.findall(runbook)
    return [[PLACES.get(word, word) for word in shlex.split(text)] for text in shown]


def test_the_settings_of_the_runbook_exist(runbook: str, root: Path) -> None:
    settings = (root / "docs" / "SETTINGS.md").read_text(encoding="utf-8")
    named = set(re.findall(r"VIDREC_[A-Z_]+[A-Z]", runbook))
    assert [name for name in named if name not in settings] == []

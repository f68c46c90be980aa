"""Pages: the generated ones are fresh, links resolve, decisions and changelog keep one form."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

LINK = re.compile(r"\]\(((?![a-z]+:)[^)\s]+)\)")
MENTION = re.compile(r"(?<![\w/])docs/[\w/-]+\.md")
CITED = re.compile(r"(?:docs/decisions/|ADR |[Dd]ecision )(\d{4})\b")
DECISION = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>[^\n]+)\n\n"
    r"Status: (?P<status>accepted|(?:in part )?superseded by \[\d{4}\]\([\w.-]+\.md\))\n"
    r"Date: (?P<date>\d{4}-\d\d-\d\d)\n\n"
    r"## Context\n\n(?:(?!#).*\n)+"
    r"## Decision\n\n(?:(?!#).*\n)+"
    r"## Consequences\n\n(?:(?!#|A change violates).*\n)+"
    r"A change violates this decision when it:\n\n"
    r"(?:\* .+\n(?:  .+\n)*)+"
)


def files_of(root: Path, ending: str) -> list[Path]:
    """Files of the checkout of one ending, without hidden folders and what `make` writes."""
    folders = (one for one in root.iterdir() if one.is_dir() and one.name != "var")
    below = (path for one in folders if one.name[0] != "." for path in one.rglob(f"*{ending}"))
    return sorted([*root.glob(f"*{ending}"), *below])


def decisions_of(root: Path) -> list[Path]:
    """The decision records, in order of their numbers."""
    return sorted((root / "docs" / "decisions").glob("[0-9]*.md"))


def head_of(page: Path) -> dict[str, str]:
    """Number, title, status and date of a decision record."""
    found = DECISION.fullmatch(page.read_text(encoding="utf-8"))
    assert found, page.name
    return found.groupdict()


def without_code(page: Path) -> str:
    """The text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page: a repeated one gets a number."""
    seen: Counter[str] = Counter()
    anchors = set()
    for heading in re.findall(r"^#{1,6} (.+)$", without_code(page), re.M):
        anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return anchors


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


def test_every_relative_link_of_a_page_leads_to_a_file_and_a_heading(root: Path) -> None:
    """Pages and their anchors, as GitHub makes them; addresses with a scheme are not asked for."""
    checked, broken = 0, []
    for page in files_of(root, ".md"):
        for target in LINK.findall(without_code(page)):
            checked += 1
            path, _, anchor = target.partition("#")
            to = (page.parent / path) if path else page
            if not to.exists() or (anchor and anchor not in anchors_of(to)):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert checked > 100
    assert broken == []


def test_code_names_only_pages_that_are_there(root: Path) -> None:
    sources = [
        root / "Makefile",
        *(p for end in (".py", ".sh", ".md") for p in files_of(root, end)),
    ]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    pages = [(path, page) for path, text in texts.items() for page in MENTION.findall(text)]
    assert len(pages) > 30
    assert [(path, page) for path, page in pages if not (root / page).exists()] == []
    records = {page.name[:4] for page in decisions_of(root)}
    cited = [(path, number) for path, text in texts.items() for number in CITED.findall(text)]
    assert [(path, number) for path, number in cited if number not in records] == []


def test_an_anchor_is_made_of_a_heading_as_github_does(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n## One moment, for `all`!\n\n```\n# no heading\n```\n\n## A page\n"
    )
    assert anchors_of(page) == {"a-page", "one-moment-for-all", "a-page-1"}


def test_every_decision_has_the_one_form(root: Path) -> None:
    pages = decisions_of(root)
    assert len(pages) > 25
    assert [page.name for page in pages if not DECISION.fullmatch(page.read_text("utf-8"))] == []
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{num:04}" for num in range(1, len(pages) + 1)]
    assert [page.name for page in pages if head_of(page)["number"] != page.name[:4]] == []


def test_every_decision_is_listed_with_its_title_status_and_date(root: Path) -> None:
    listed = (root / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in listed.splitlines() if line.startswith("| [")]
    assert rows == [
        f"| [{head['number']}]({page.name}) | {head['title']} | {head['status']} | {head['date']} |"
        for page in decisions_of(root)
        for head in [head_of(page)]
    ]


def test_every_version_of_the_changelog_has_a_date_and_known_sections(root: Path) -> None:
    _, *versions = re.split(r"^## ", (root / "CHANGELOG.md").read_text("utf-8"), flags=re.M)
    heads = [version.splitlines()[0] for version in versions]
    assert [
        h for h in heads if not re.fullmatch(r"\d+\.\d+\.\d+ - (\d{4}-\d\d-\d\d|unreleased)", h)
    ] == []
    sections = [re.findall(r"^### (.+)$", version, re.M) for version in versions]
    known = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    assert [s for s in sections if not s or s != [one for one in known if one in s]] == []


def test_each_picture_of_the_docs_is_shown_and_small(root: Path) -> None:
    readme = (root / "README.md").read_text(encoding="utf-8")
    for path in (root / "docs" / "images").iterdir():
        assert str(path.relative_to(root)) in readme
        assert path.stat().st_size < 300_000, path.name

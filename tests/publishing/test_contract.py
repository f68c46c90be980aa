"""What readers were promised is kept; the files of earlier releases are never written again."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from vidrec_tasks.publishing.contract import DEPRECATED, Deprecation, broken, promised

EARLIER = {
    "current_recommendations": {"user_id": "TEXT", "score": "DOUBLE", "at_s": "DOUBLE or null"},
    "current_old": {"id": "TEXT"},
}


def changed(view: str, **columns: str | None) -> dict[str, dict[str, str]]:
    """The example with some columns changed, or gone where None."""
    now = {name: dict(kinds) for name, kinds in EARLIER.items()}
    for name, kind in columns.items():
        now[view].pop(name)
        now[view] |= {} if kind is None else {name: kind}
    return now


def version_of(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return ".".join(str(project["version"]).split(".")[:2])


def kept_promises(root: Path) -> dict[str, Any]:
    files = sorted((root / "docs" / "contract").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}


def test_what_every_release_promised_is_kept(root: Path) -> None:
    releases = kept_promises(root)
    assert set(releases) >= {"0.1", version_of(root)}
    assert len(releases["0.1"]["current_recommendations"]) == 12
    found = {
        release: broken(promise, promised(), version=version_of(root))
        for release, promise in releases.items()
    }
    assert [words for words in found.values() if words] == []


def test_what_is_deprecated_exists_and_readers_are_told(root: Path) -> None:
    page = (root / "docs" / "READING.md").read_text(encoding="utf-8")
    promises = kept_promises(root)
    for going in DEPRECATED:
        assert going.view in promises[going.since]
        assert f"`{going.view}.{going.column}`" in page


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (EARLIER | {"current_new": {"id": "TEXT"}}, []),
        (changed("current_recommendations", at_s="DOUBLE"), []),
        (changed("current_recommendations", score=None), ["current_recommendations.score is gone"]),
        (
            changed("current_recommendations", score="DOUBLE or null"),
            ["current_recommendations.score was DOUBLE and is DOUBLE or null"],
        ),
        (
            changed("current_recommendations", user_id="INTEGER"),
            ["current_recommendations.user_id was TEXT and is INTEGER"],
        ),
        (
            {"current_recommendations": EARLIER["current_recommendations"]},
            ["current_old.id is gone"],
        ),
    ],
    ids=["a new view", "never null", "gone", "null now", "another type", "a view gone"],
)
def test_what_breaks_a_promise(now: dict[str, dict[str, str]], said: list[str]) -> None:
    assert broken(EARLIER, now, version="0.9") == said


@pytest.mark.parametrize(
    ("since", "gone", "version", "is_kept"),
    [
        ("0.3", "0.5", "0.5", True),
        ("0.3", "0.5", "0.6", True),
        ("0.3", "0.5", "0.4", False),
        ("0.4", "0.5", "0.5", False),
        ("0.9", "1.0", "1.0", True),
    ],
)
def test_a_column_may_go_two_minor_versions_after_it_was_said(
    since: str, gone: str, version: str, *, is_kept: bool
) -> None:
    said = (
        Deprecation("current_recommendations", "score", since, gone, "nothing"),
        Deprecation("current_old", "", since, gone, "current_new"),
    )
    now = {"current_recommendations": {"user_id": "TEXT", "at_s": "DOUBLE or null"}}
    found = broken(EARLIER, now, version=version, deprecated=said)
    assert (found == []) is is_kept

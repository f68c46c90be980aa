"""Every package and every weight has a licence that is known, and none asks for its users' code."""

import re

import pytest

from scripts import licences

STRICT = re.compile(r"AGPL|Affero|SSPL|(?<!L)GPL|General Public", re.IGNORECASE)
WEAK = re.compile(r"LGPL|Lesser|Artistic", re.IGNORECASE)


def test_every_licence_is_known_and_leaves_ones_own_code_alone() -> None:
    found = [*licences.packages(), *licences.weights()]
    assert len(found) > 100
    assert [line for line in found if not line.licence] == []
    strict = [
        line for line in found if STRICT.search(line.licence) and not WEAK.search(line.licence)
    ]
    assert strict == []


def test_a_licence_that_is_not_known_fails_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(licences, "packages", lambda: [licences.Licence("one", "1", "MIT")])
    monkeypatch.setattr(licences, "weights", lambda: [licences.Licence("other", "2", "")])
    assert licences.main() == 1
    said = capsys.readouterr()
    assert "NOT KNOWN" in said.out
    assert said.err == "licences: 1 not known (first: other)\n"

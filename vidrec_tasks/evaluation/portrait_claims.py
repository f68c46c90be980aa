"""Portrait claims: what portraits say, read back from each sentence and recomputed from the visits.

Written apart from whoever writes portraits, template or model: it shares no phrase, no fact and no
count with them (decisions 0008 and 0037). A claim is a sentence with the numbers of the facts that
it names; it may name what those facts name, and nothing else.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from vidrec_tasks.columns import CLAIMS, EVIDENCE, USER_ID
from vidrec_tasks.evaluation.portrait_ledger import PortraitLedger
from vidrec_tasks.evaluation.portrait_reading import Statement, Unreadable, read_statements
from vidrec_tasks.language.words import has_sensitive

_STATED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "total": ("total",), "when": ("when",), "under": ("length",), "over": ("length",),
    "whole": ("far",), "half": ("far",), "fresh": ("fresh",), "by": ("creator",),
    "more": ("more",), "less": ("less",), "new": ("new",), "away": ("away",), "times": ("title",),
    "about": ("topic", "title", "creator"), "likes": ("topic", "title", "creator"),
    "often": ("topic", "creator"), "most": ("topic",), "rarely": ("away", "less"),
    "unfinished": ("far",), "all away": ("away",),
}  # fmt: skip
"""What is stated -> the kinds of fact of which a sentence must name one."""
_NAMING: Final = ("topic", "title", "creator", "away", "more", "less", "new")


class Verdict(NamedTuple):
    """What became of a sentence.

    Attributes:
        reason: the first thing wrong; empty when it may be published.
        n_claims: different things that it says; one where it cannot be read.
        n_true: of these the true ones.
    """

    reason: str
    n_claims: int
    n_true: int


def judge_of(
    ledger: PortraitLedger,
) -> Callable[[str, str, Sequence[Mapping[str, Any]]], Verdict]:
    """`check_sentence` as whoever writes asks it: user, sentence, the facts that it names."""

    def judge(user_id: str, sentence: str, facts: Sequence[Mapping[str, Any]]) -> Verdict:
        return check_sentence(sentence, facts, user_id=user_id, ledger=ledger)

    return judge


def check_sentence(
    sentence: str,
    facts: Sequence[Mapping[str, Any]],
    *,
    user_id: str,
    ledger: PortraitLedger,
) -> Verdict:
    """Read a sentence and recompute what it says.

    Args:
        sentence: one, with its full stop.
        facts: the records that it names, as plain values (kind, name).
        user_id: of whom it speaks.
        ledger: the visits before the night.
    """
    if has_sensitive(sentence):
        return Verdict("sensitive: states or names a sensitive attribute", 1, 0)
    names = [str(fact.get("name", "")) for fact in facts if fact["kind"] in _NAMING]
    try:
        said = read_statements(sentence, names)
    except Unreadable as error:
        return Verdict(f"unreadable: {str(error)!r} is in no fact that it names", 1, 0)
    if not said:
        return Verdict("empty: states nothing", 1, 0)
    wrong: dict[str, str] = {}
    for one in said:
        reason = _uncovered(one, facts) or _refuted(ledger.refute(user_id, one))
        wrong[_subject(one)] = wrong.get(_subject(one)) or reason
    reasons = [reason for reason in wrong.values() if reason]
    return Verdict(reasons[0] if reasons else "", len(wrong), len(wrong) - len(reasons))


def _refuted(reason: str) -> str:
    return f"false: {reason}" if reason else ""


def _subject(said: Statement) -> str:
    """What a statement is of; "likes cats" and "cats (9)" are one claim, a turn is another."""
    kind = "of" if said.kind in ("about", "likes", "often", "most", "times") else said.kind
    return f"{kind} {said.name}"


def _uncovered(said: Statement, facts: Sequence[Mapping[str, Any]]) -> str:
    kinds = _STATED_BY.get(said.kind)
    if kinds is None:
        return ""
    has = any(
        fact["kind"] in kinds and (fact["kind"] not in _NAMING or _is_named(fact, said.name))
        for fact in facts
    )
    return "" if has else f"uncovered: no named fact says {said.kind}"


def _is_named(fact: Mapping[str, Any], name: str) -> bool:
    return str(fact.get("name", "")).casefold() == name.casefold()


def check_portraits(portraits: pd.DataFrame, ledger: PortraitLedger) -> dict[str, int]:
    """Judge every sentence of the portraits as they are published.

    Args:
        portraits: user_id, claims (text, facts), evidence (the records that the numbers name).
        ledger: the visits before the night.

    Returns:
        n_claims, n_true, n_stating (portraits that state a fact) and n_shapes: different portraits
        once names and numbers are left out.
    """
    n_claims = n_true = n_stating = 0
    shapes = set()
    rows = zip(portraits[USER_ID], portraits[CLAIMS], portraits[EVIDENCE], strict=True)
    for user_id, claims, evidence in rows:
        by_number = {record["number"]: record for record in evidence}
        shape = []
        for claim in claims:
            facts = [by_number[number] for number in claim["facts"]]
            found = check_sentence(claim["text"], facts, user_id=str(user_id), ledger=ledger)
            # that nothing is known is no claim of a portrait
            n_claims += found.n_claims if facts or found.reason else 0
            n_true += found.n_true if facts or found.reason else 0
            shape.append(_shape(claim["text"], facts))
        n_stating += any(claim["facts"] for claim in claims)
        shapes.add(" ".join(shape))
    return {
        "n_claims": n_claims, "n_true": n_true, "n_stating": n_stating, "n_shapes": len(shapes),
    }  # fmt: skip


def _shape(sentence: str, facts: Sequence[Mapping[str, Any]]) -> str:
    for name in sorted((str(fact.get("name", "")) for fact in facts), key=len, reverse=True):
        sentence = sentence.replace(name, "_") if name else sentence
    return re.sub(r"\d+", "0", sentence)

"""Passages: what is said and written as values of a page, with the words of a query marked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vidrec_tasks.columns import AT_S, CONFIDENCE, LANGUAGE, SOURCE, TEXT, UNTIL_S

SOURCES: Final = {"captions": "captions", "speech": "heard", "screen": "on the screen"}
MAX_SHOWN: Final = 2_000


def transcript(passages: Sequence[Mapping[str, Any]], query: str = "") -> list[dict[str, Any]]:
    """Passages in order of time.

    Returns:
        at_s (None: not known), source in words, language, confidence (None where it is certain),
        parts: pieces of the text, each with whether it is a word of the query; anchor: what a link
        to its second leads to ('' where an earlier one has it).
    """
    words = marked_words(query)
    shown = [
        {
            "at_s": row[AT_S],
            "source": SOURCES.get(row[SOURCE], str(row[SOURCE])),
            "language": row[LANGUAGE],
            "confidence": row[CONFIDENCE] if row[CONFIDENCE] < 1 else None,
            "parts": marked(str(row[TEXT]), words),
        }
        for row in passages[:MAX_SHOWN]
    ]
    shown.sort(key=lambda row: (row["at_s"] is None, row["at_s"] or 0.0))
    anchors: set[str] = set()
    for row in shown:
        anchor = anchor_of(row["at_s"])
        row["anchor"] = "" if anchor in anchors else anchor
        anchors.add(anchor)
    return shown


def anchor_of(at_s: float | None) -> str:
    """The anchor of a second on the page of a video; '' where it is not known."""
    return "" if at_s is None else f"at-{int(at_s)}"


def passage_at(
    passages: Sequence[Mapping[str, Any]], at_s: float | None
) -> Mapping[str, Any] | None:
    """The passage that begins at a second, or else lasts over it; None where there is none."""
    if at_s is None:
        return None
    timed = [row for row in passages if row[AT_S] is not None]
    near = [row for row in timed if abs(row[AT_S] - at_s) < 0.01]
    over = [row for row in timed if row[AT_S] <= at_s <= (row[UNTIL_S] or row[AT_S])]
    return next(iter([*near, *over]), None)


def marked_words(query: str) -> re.Pattern[str] | None:
    """What finds the words of a query at the beginning of words; None without any."""
    words = sorted(set(re.findall(r"\w{3,}|[\u3040-\u9fff]", query)), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(w)}\w*" if w.isascii() else re.escape(w)
                               for w in words), re.IGNORECASE) if words else None  # fmt: skip


def marked(text: str, words: re.Pattern[str] | None) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is marked."""
    if words is None:
        return [(text, False)]
    pieces, end = [], 0
    for found in words.finditer(text):
        pieces += [(text[end : found.start()], False), (found[0], True)]
        end = found.end()
    return [(piece, is_word) for piece, is_word in [*pieces, (text[end:], False)] if piece]

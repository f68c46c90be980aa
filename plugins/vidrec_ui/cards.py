"""Cards: what a video is as values of its page, each field with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

FIELDS: Final = {
    "summary": "About", "topics": "Topics", "format": "Format", "mood": "Mood",
    "audience": "For", "named": "Names",
}  # fmt: skip
SOURCES: Final = {
    "title": "title", "description": "description", "tags": "tags", "said": "said",
    "written": "on the screen", "seen": "seen", "duration_s": "length", "age_rating": "age rating",
}  # fmt: skip
WRITERS: Final = {"model": "by the model", "rules": "by rules"}


def card_of(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The card of a video, as its page shows it; None where nothing is known.

    Returns:
        by: who wrote it; rows: field in words, values each with the source and the words that it
        rests on, and who wrote it; dropped: (field in words, reason).
    """
    if row is None:
        return None
    rows = []
    for name, word in FIELDS.items():
        grounds = [ground for ground in row["evidence"] if ground["field"] == name]
        if grounds:
            rows.append({"field": word, "by": _by(grounds[0]), "values": _values(grounds)})
    if not rows:
        return None
    dropped = [(FIELDS.get(one["field"], one["field"]), one["reason"]) for one in row["dropped"]]
    return {"by": WRITERS.get(row["card_source"], ""), "rows": rows, "dropped": dropped}


def _by(ground: Mapping[str, Any]) -> str:
    return WRITERS.get(ground["by"], "")


def _values(grounds: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """A line a value; values that stand in one source as they are share a line."""
    lines: list[dict[str, str]] = []
    for line in map(_ground, grounds):
        last = lines[-1] if lines else None
        if last and not last["words"] and not line["words"] and last["source"] == line["source"]:
            last["value"] += f", {line['value']}"
        else:
            lines.append(line)
    return lines


def _ground(ground: Mapping[str, Any]) -> dict[str, str]:
    words = str(ground["words"])
    is_same = words.casefold() == str(ground["value"]).casefold()
    return {
        "value": str(ground["value"]),
        "source": SOURCES.get(ground["source"], ""),
        "words": "" if is_same or ground["field"] == "summary" else words,
    }

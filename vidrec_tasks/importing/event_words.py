"""Event words: what other systems call an event, in the words of the contracts."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from vidrec_tasks.columns import EVENT_TYPES

SYNONYMS: Final = {
    "impression": ("exposure", "expose", "show", "shown", "display"),
    "play": (
        "click", "view", "watch", "read", "listen", "stream", "start", "open", "visit", "view_item",
        "detailpageview", "positive", "interaction",
    ),
    "complete": ("completed", "finish", "finished", "watched", "complete_watch"),
    "like": (
        "star", "favorite", "favourite", "upvote", "thumbs_up", "heart", "love", "bookmark", "save",
        "purchase", "buy", "subscribe", "add_to_watchlist", "add_to_favorites",
    ),
    "dislike": ("downvote", "thumbs_down", "hide", "report", "negative"),
    "skip": ("skipped", "dismiss", "abandon"),
    "share": ("repost", "forward", "recommend"),
    "rating": ("rate", "rated", "score", "review"),
}  # fmt: skip
"""Our word -> theirs, in lower case. A word that stands nowhere is kept, so that the contract
rejects it by name rather than a guess changing its meaning."""

_OURS: Final = {theirs: ours for ours, words in SYNONYMS.items() for theirs in words}


def translate(words: pd.Series) -> pd.Series:
    """Event words as contract words; unknown and missing ones stay as they are."""
    return words.map(lambda word: _one(word) if isinstance(word, str) else word)


def unknown_words(words: Iterable[object]) -> dict[str, int]:
    """Words that the contract will reject -> how often, the most frequent first."""
    texts = pd.Series([word for word in words if isinstance(word, str)], dtype=str)
    counts = texts[~texts.isin(EVENT_TYPES)].value_counts()
    return {str(word): int(n) for word, n in counts.items()}


def _one(word: str) -> str:
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    return _OURS.get(plain, plain)

"""Queries: what the catalogue would be asked, where nobody says what people search for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import Any

import pandas as pd

from vidrec_tasks.columns import COUNT, QUERY, TAGS, TITLE

MAX_LENGTH = 120
"""Characters of a title that is asked for; longer ones are cut at a word."""


def derive_queries(
    videos: pd.DataFrame, concepts: Sequence[Sequence[Sequence[Any]] | None], *, n: int
) -> pd.DataFrame:
    """Queries from tags, concepts and titles in turn, the most carried first.

    Args:
        videos: title, tags.
        concepts: ``[name, probability]`` of each video, in the order of ``videos``.
        n: queries at most.

    Returns:
        query, count (videos it came from); no query twice, whatever its case.
    """
    tags = Counter(tag for row in videos[TAGS] for tag in {_flat(str(tag)) for tag in row})
    shown = Counter(
        name for row in concepts for name in {_first_name(pair[0]) for pair in row or ()}
    )
    titles = Counter(_flat(str(title)) for title in videos[TITLE].fillna(""))
    turns = chain.from_iterable(zip_longest(*(_by_count(c) for c in (tags, shown, titles))))
    kept: dict[str, tuple[str, int]] = {}
    for pair in turns:
        if pair is not None and pair[0] and len(kept) < n:
            kept.setdefault(pair[0].casefold(), pair)
    texts, counts = [text for text, _ in kept.values()], [count for _, count in kept.values()]
    return pd.DataFrame(
        {QUERY: pd.Series(texts, dtype="str"), COUNT: pd.Series(counts, dtype="int64")}
    )


def _by_count(counter: Counter[str]) -> Iterable[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


def _first_name(concept: Any) -> str:
    # a concept may list synonyms after its first name: "tabby, tabby cat"
    return _flat(str(concept).split(",")[0])


def _flat(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_LENGTH else flat[:MAX_LENGTH].rsplit(" ", 1)[0]

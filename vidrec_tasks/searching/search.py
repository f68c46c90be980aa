"""Search: videos for queries, by their words, their meaning and what each other modality says.

Leaves encoding to the room `content` and the rules to whoever gives ``allowed``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, product
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, MATCHED, QUERY, RANK, SCORE, VIDEO_ID
from vidrec_tasks.columns import TEXT as TEXT_COLUMN
from vidrec_tasks.content.modalities.modality import Moments
from vidrec_tasks.content.modalities.registry import in_words
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.searching.fusion import LogOdds, Mask, Votes, vote
from vidrec_tasks.searching.moments import Floats, Ints, MomentIndex
from vidrec_tasks.searching.passages import PassageIndex
from vidrec_tasks.searching.texts import TextIndex
from vidrec_tasks.settings import SearchingSettings

_BESIDE_TEXT: Final = 0.5
"""What others count where there is text: half of it they say again. With frames, MRR on 91
clips of which half have no title 0.74 (0.63 with half for all, 0.73 with all for all, which costs
0.01 elsewhere)."""

_CELLS: Final = 4_000_000
"""Scores held at once (queries times videos or moments), so that memory is bounded."""


@dataclass(frozen=True)
class SearchIndex:
    """What can be searched; a video's row is its ``video_num``.

    Attributes:
        video_ids: ``(n_videos,)`` str.
        texts: what the videos say.
        others: modality -> what it has of them, in the order in which they are named.
    """

    video_ids: npt.NDArray[np.object_]
    texts: TextIndex
    others: Mapping[str, MomentIndex | PassageIndex]

    @classmethod
    def of(
        cls,
        videos: pd.DataFrame,
        text_vectors: Floats,
        others: Mapping[str, Moments | Floats],
    ) -> "SearchIndex":
        """Index a catalogue.

        Args:
            videos: video_id, title, description, tags.
            text_vectors: ``(n_videos, dim)`` in the order of ``videos``; zero rows for no text.
            others: modality -> its moments, or its vectors likewise.
        """
        indexes = {name: _index_of(videos[VIDEO_ID], has) for name, has in others.items()}
        ids = videos[VIDEO_ID].to_numpy(dtype=object)
        return cls(ids, TextIndex.of(videos, text_vectors), indexes)

    @property
    def n_videos(self) -> int:
        """Number of videos."""
        return len(self.video_ids)

    @property
    def is_known(self) -> Mask:
        """``(n_videos,)`` whether anything is known of a video."""
        known = [self.texts.has_text, *(other.is_known for other in self.others.values())]
        return np.asarray(np.any(known, axis=0))


def _index_of(video_ids: pd.Series, has: Moments | Floats) -> MomentIndex | PassageIndex:
    if not isinstance(has, Moments):
        return MomentIndex.of_videos(has)
    kind = PassageIndex if TEXT_COLUMN in has.table else MomentIndex
    return kind.of(video_ids, has.table, has.vectors)


def search(
    index: SearchIndex,
    queries: Sequence[str],
    query_vectors: Mapping[str, Floats],
    *,
    settings: SearchingSettings,
    allowed: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """Answer queries.

    Args:
        index: what is searched.
        queries: texts in any language.
        query_vectors: modality -> ``(n_queries, its dim)`` unit rows, in the space of its vectors.
        settings: n_results, fusion, rrf_k.
        allowed: ``(n_videos,)`` which videos the rules let through.

    Returns:
        query, rank (1..n without gap), video_id, score (see `fusion`), matched (see
        `registry.in_words`), at_s (second of the moment that matches, NaN where none has one). A
        query that matches nothing is answered by what is nearest.
    """
    rows = []
    findable = allowed & index.is_known
    beside_text = np.where(index.texts.has_text, _BESIDE_TEXT, 1.0).astype(np.float32)
    for part in _blocks(index, len(queries)):
        asked = _Asked(queries[part], {name: rows[part] for name, rows in query_vectors.items()})
        evidence = _Evidence.of(index, asked, allowed)
        votes = vote(evidence.weighed(beside_text), fusion=settings.fusion, rrf_k=settings.rrf_k)
        nums, scores = _best(np.sum(votes, axis=0), findable, settings.n_results)
        matched = evidence.matched(votes, nums)
        loudness = {
            name: np.take_along_axis(own, np.maximum(nums, 0), axis=1)
            for name, own in zip(evidence.odds, votes, strict=True)
        }
        rows.append(_table(index, asked, nums, scores, matched, loudness))
    return pd.concat(rows, ignore_index=True) if rows else _empty()


@dataclass(frozen=True)
class _Asked:
    """A block of queries: their texts, and by modality their vectors."""

    queries: Sequence[str]
    vectors: Mapping[str, Floats]


@dataclass(frozen=True)
class _Evidence:
    """What a block of queries says of the videos that are allowed.

    Attributes:
        words: BM25.
        odds: modality -> what it says; text first, words included.
        covers: modality -> where one of its passages has every word of a query.
    """

    words: Floats
    odds: Mapping[str, LogOdds]
    covers: Mapping[str, Mask]

    @classmethod
    def of(cls, index: SearchIndex, asked: _Asked, allowed: Mask) -> "_Evidence":
        words = index.texts.words(asked.queries)
        meaning = index.texts.meaning(asked.vectors[TEXT.name])
        text = index.texts.evidence(asked.queries, words, meaning)
        text[:, ~allowed] = np.nan
        odds = {TEXT.name: LogOdds.of(text)}
        covers = {}
        for name, other in index.others.items():
            scores = other.scores(asked.queries, asked.vectors[name])
            scores[:, ~allowed] = np.nan
            if isinstance(other, PassageIndex):
                covers[name] = other.covers(asked.queries) & allowed
            # few videos speak: that a query means one of them is not likelier for that
            odds[name] = LogOdds.of(scores, n_meant=int(allowed.sum()) if name in covers else 0)
        return cls(words, odds, covers)

    def weighed(self, beside_text: Floats) -> list[LogOdds]:
        """What each modality says, the others less of a video that has text ``(n_videos,)``."""
        return [
            odds if name == TEXT.name or name in self.covers else odds.times(beside_text)
            for name, odds in self.odds.items()
        ]

    def matched(self, votes: Sequence[Votes], nums: Ints) -> dict[str, Mask]:
        """Modality -> ``(n_queries, n_results)`` whether it matched, where it is more than noise.

        Where none convinces, the one that says most is named.
        """
        has_words = self.words > 0
        no = np.zeros_like(has_words)
        says = [
            np.where(odds.known, own, -np.inf)
            for odds, own in zip(self.odds.values(), votes, strict=True)
        ]
        claims = [
            odds.is_convincing | (has_words if name == TEXT.name else self.covers.get(name, no))
            for name, odds in self.odds.items()
        ]
        loudest, is_silent = np.argmax(says, axis=0), ~np.any(claims, axis=0)
        there = np.maximum(nums, 0)
        return {
            name: np.take_along_axis(claim | (is_silent & (loudest == num)), there, axis=1)
            for num, (name, claim) in enumerate(zip(self.odds, claims, strict=True))
        }


def _blocks(index: SearchIndex, n_queries: int) -> Iterator[slice]:
    widths = (len(other.vectors) for other in index.others.values())
    size = max(1, _CELLS // max(1, index.n_videos, *widths))
    for first in range(0, n_queries, size):
        yield slice(first, first + size)


def _best(score: Votes, findable: Mask, n: int) -> tuple[Ints, Votes]:
    """Nums ``(n_queries, n)`` best first, equal ones by num, -1 where there are no more."""
    masked = np.where(findable, score, -np.inf)
    nums = np.argsort(-masked, axis=1, kind="stable")[:, :n]
    best = np.take_along_axis(masked, nums, axis=1)
    return np.where(np.isfinite(best), nums, -1), best


def _table(
    index: SearchIndex,
    asked: _Asked,
    nums: Ints,
    scores: Votes,
    matched: Mapping[str, Mask],
    loudness: Mapping[str, Votes],
) -> pd.DataFrame:
    of_query, position = np.nonzero(nums >= 0)
    video_nums = nums[of_query, position]
    matches = {name: mask[of_query, position] for name, mask in matched.items()}
    loud = {name: votes[of_query, position] for name, votes in loudness.items()}
    columns: dict[str, Any] = {
        QUERY: pd.Series([asked.queries[int(num)] for num in of_query], dtype="str"),
        RANK: position + 1,
        VIDEO_ID: pd.Series(index.video_ids[video_nums], dtype="str"),
        SCORE: scores[of_query, position],
        MATCHED: pd.Series(_words(matches), dtype="str"),
        AT_S: _seconds(index, asked, of_query, video_nums, matches, loud),
    }
    return pd.DataFrame(columns)


def _words(matched: Mapping[str, Mask]) -> npt.NDArray[np.object_]:
    """``(n_rows,)`` what matched, in words, of modality -> ``(n_rows,)``."""
    masks = np.stack(list(matched.values()), axis=1)  # (n_rows, n_modalities)
    words = np.full(len(masks), "", dtype=object)
    for which in product((False, True), repeat=len(matched)):
        if any(which):
            words[(masks == which).all(axis=1)] = in_words(list(compress(matched, which)))
    return words


def _seconds(
    index: SearchIndex,
    asked: _Asked,
    of_query: Ints,
    video_nums: Ints,
    matched: Mapping[str, Mask],
    loud: Mapping[str, Votes],
) -> npt.NDArray[np.float64]:
    """``(n_rows,)`` the second of what says most of the modalities that matched and have one."""
    at_s, loudest = np.full((2, len(video_nums)), np.nan)
    for name, other in index.others.items():
        better = ~(loud[name] <= loudest)  # NaN: nothing was found yet
        rows = np.flatnonzero(matched[name] & better)
        queries = [asked.queries[int(num)] for num in of_query[rows]]
        found = other.moments(queries, asked.vectors[name][of_query[rows]], video_nums[rows])
        rows, found = rows[~np.isnan(found)], found[~np.isnan(found)]
        at_s[rows], loudest[rows] = found, loud[name][rows]
    return at_s


def _empty() -> pd.DataFrame:
    columns = {QUERY: "str", RANK: "int64", VIDEO_ID: "str", SCORE: "float64", MATCHED: "str"}
    typed = {name: pd.Series(dtype=kind) for name, kind in columns.items()}
    return pd.DataFrame({**typed, AT_S: pd.Series(dtype="float64")})

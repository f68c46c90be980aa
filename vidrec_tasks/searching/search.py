"""Search: videos for queries, by their words, their meaning and what their frames show.

Leaves encoding to the room `content` and the rules to whoever gives ``allowed``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, MATCHED, QUERY, RANK, SCORE, VIDEO_ID
from vidrec_tasks.searching.frames import Floats, FrameIndex, Ints
from vidrec_tasks.searching.fusion import LogOdds, Votes, vote
from vidrec_tasks.searching.texts import TextIndex
from vidrec_tasks.settings import SearchingSettings

TEXT: Final = "text"
FRAME: Final = "frame"
BOTH: Final = "both"

_BESIDE_TEXT: Final = 0.5
"""What frames count where there is text: half of it they say again. MRR on 91 clips of which half
have no title 0.74 (0.63 with half for all, 0.73 with all for all, which costs 0.01 elsewhere)."""

_CELLS: Final = 4_000_000
"""Scores held at once (queries times videos or frames), so that memory is bounded."""


@dataclass(frozen=True)
class SearchIndex:
    """What can be searched; a video's row is its ``video_num``.

    Attributes:
        video_ids: ``(n_videos,)`` str.
        texts: what the videos say.
        frames: what they show.
    """

    video_ids: npt.NDArray[np.object_]
    texts: TextIndex
    frames: FrameIndex

    @classmethod
    def of(
        cls,
        videos: pd.DataFrame,
        text_vectors: Floats,
        frame_table: pd.DataFrame,
        frame_vectors: Floats,
    ) -> "SearchIndex":
        """Index a catalogue.

        Args:
            videos: video_id, title, description, tags.
            text_vectors: ``(n_videos, dim)`` in the order of ``videos``; zero rows for no text.
            frame_table: video_id, at_s of each frame.
            frame_vectors: ``(n_frames, dim)`` in the order of ``frame_table``.
        """
        return cls(
            videos[VIDEO_ID].to_numpy(dtype=object),
            TextIndex.of(videos, text_vectors),
            FrameIndex.of(videos[VIDEO_ID], frame_table, frame_vectors),
        )

    @property
    def n_videos(self) -> int:
        """Number of videos."""
        return len(self.video_ids)


def search(
    index: SearchIndex,
    queries: Sequence[str],
    text_query_vectors: Floats,
    frame_query_vectors: Floats,
    *,
    settings: SearchingSettings,
    allowed: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    """Answer queries.

    Args:
        index: what is searched.
        queries: texts in any language.
        text_query_vectors: ``(n_queries, dim)`` unit rows, in the space of the text embeddings.
        frame_query_vectors: ``(n_queries, dim)`` unit rows, in the space of the frames.
        settings: n_results, fusion, rrf_k.
        allowed: ``(n_videos,)`` which videos the rules let through.

    Returns:
        query, rank (1..n without gap), video_id, score (see `fusion`), matched ('text', 'frame' or
        'both'), at_s (second of the matching frame, NaN for 'text'). A query that matches nothing
        is answered by what is nearest.
    """
    rows = []
    findable = allowed & (index.texts.has_text | index.frames.has_frames)
    beside_text = np.where(index.texts.has_text, _BESIDE_TEXT, 1.0).astype(np.float32)
    for part in _blocks(index, len(queries)):
        evidence = _Evidence.of(
            index, queries[part], text_query_vectors[part], frame_query_vectors[part], allowed
        )
        votes = vote(
            [evidence.text, evidence.frames.times(beside_text)],
            fusion=settings.fusion,
            rrf_k=settings.rrf_k,
        )
        nums, scores = _best(np.sum(votes, axis=0), findable, settings.n_results)
        matched = evidence.matched(votes, nums)
        rows.append(_table(index, queries[part], frame_query_vectors[part], nums, scores, matched))
    return pd.concat(rows, ignore_index=True) if rows else _empty()


@dataclass(frozen=True)
class _Evidence:
    """What a block of queries says of the videos that are allowed."""

    words: Floats
    text: LogOdds
    frames: LogOdds

    @classmethod
    def of(
        cls,
        index: SearchIndex,
        queries: Sequence[str],
        text_vectors: Floats,
        frame_vectors: Floats,
        allowed: npt.NDArray[np.bool_],
    ) -> "_Evidence":
        words = index.texts.words(queries)
        text = index.texts.evidence(queries, words, index.texts.meaning(text_vectors))
        cosines = index.frames.cosines(frame_vectors)
        text[:, ~allowed] = np.nan
        cosines[:, ~allowed] = np.nan
        return cls(words, LogOdds.of(text), LogOdds.of(index.frames.evidence(cosines)))

    def matched(self, votes: Sequence[Votes], nums: Ints) -> npt.NDArray[np.object_]:
        """``(n_queries, n_results)`` what matched, claimed only where it is more than noise."""
        by_text = (self.words > 0) | self.text.is_convincing
        by_frame = self.frames.is_convincing
        # where nothing convinces, the nearer of the two is named
        nearer = ~self.text.known | (votes[0] < votes[1])
        by_default = ~by_text & self.frames.known & nearer
        said = np.where(by_frame | by_default, FRAME, TEXT).astype(object)
        said[by_text & by_frame] = BOTH
        return np.take_along_axis(said, np.maximum(nums, 0), axis=1)


def _blocks(index: SearchIndex, n_queries: int) -> Iterator[slice]:
    size = max(1, _CELLS // max(1, index.n_videos, len(index.frames.vectors)))
    for first in range(0, n_queries, size):
        yield slice(first, first + size)


def _best(score: Votes, findable: npt.NDArray[np.bool_], n: int) -> tuple[Ints, Votes]:
    """Nums ``(n_queries, n)`` best first, equal ones by num, -1 where there are no more."""
    masked = np.where(findable, score, -np.inf)
    nums = np.argsort(-masked, axis=1, kind="stable")[:, :n]
    best = np.take_along_axis(masked, nums, axis=1)
    return np.where(np.isfinite(best), nums, -1), best


def _table(
    index: SearchIndex,
    queries: Sequence[str],
    frame_vectors: Floats,
    nums: Ints,
    scores: Votes,
    matched: npt.NDArray[np.object_],
) -> pd.DataFrame:
    of_query, place = np.nonzero(nums >= 0)
    video_nums, said = nums[of_query, place], matched[of_query, place]
    moments = index.frames.moments(frame_vectors[of_query], video_nums)
    columns: dict[str, Any] = {
        QUERY: pd.Series([queries[int(num)] for num in of_query], dtype="str"),
        RANK: place + 1,
        VIDEO_ID: pd.Series(index.video_ids[video_nums], dtype="str"),
        SCORE: scores[of_query, place],
        MATCHED: pd.Series(said, dtype="str"),
        AT_S: np.where(said == TEXT, np.nan, moments),
    }
    return pd.DataFrame(columns)


def _empty() -> pd.DataFrame:
    columns = {QUERY: "str", RANK: "int64", VIDEO_ID: "str", SCORE: "float64", MATCHED: "str"}
    typed = {name: pd.Series(dtype=kind) for name, kind in columns.items()}
    return pd.DataFrame({**typed, AT_S: pd.Series(dtype="float64")})

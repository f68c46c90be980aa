"""Passage search: what is said or written in each video that is nearest to a query, and its second.

Words and meaning of one passage are added up, as `texts` does for a whole video: what is looked for
is said in one breath, not all over a film.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, TEXT, VIDEO_ID
from vidrec_tasks.searching.fusion import deviation
from vidrec_tasks.searching.lexical import LexicalIndex
from vidrec_tasks.searching.moments import Floats, Ints, MomentIndex, in_order

_WORDS: Final = 0.6
"""What BM25 counts. Of four words in a row from one sentence of 500 overviews, 0.2 (as for titles)
finds the right video first for 26%, 0.4 for 67%, 0.6 for 92%, 1.0 for 99%; with 1.0 parts of titles
are found a little less well (MRR 0.896; 0.904 with 0.6, 0.898 without passages)."""
_MEANING: Final = 0.5
"""What one deviation of the noise counts: half of it title and description say too."""
_LEAST_DEVIATION: Final = 0.02
_USUAL_DEVIATION: Final = 0.1


@dataclass(frozen=True)
class PassageIndex:
    """The passages of a catalogue, those of one video beside each other.

    Attributes:
        moments_: their vectors and seconds.
        lexical: their words; a passage is a text of its own.
    """

    moments_: MomentIndex
    lexical: LexicalIndex

    @classmethod
    def of(cls, video_ids: pd.Series, table: pd.DataFrame, vectors: Floats) -> Self:
        """Index passages; those of videos that are not in the catalogue are left out.

        Args:
            video_ids: ids of the catalogue, in order.
            table: video_id, at_s and text of each passage.
            vectors: ``(n_passages, dim)`` in the order of ``table``.
        """
        nums = pd.Index(video_ids.astype(object)).get_indexer(
            pd.Index(table[VIDEO_ID].astype(object))
        )
        order = np.argsort(nums, kind="stable")
        order = order[nums[order] >= 0]
        kept = table.iloc[order].reset_index(drop=True)
        moments = MomentIndex.of(video_ids, kept[[VIDEO_ID, AT_S]], in_order(vectors, order))
        return cls(moments, LexicalIndex.of([(1.0, [str(text) for text in kept[TEXT]])]))

    @property
    def vectors(self) -> Floats:
        """``(n_passages, dim)``."""
        return self.moments_.vectors

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """``(n_videos,)`` whether a video has any passage."""
        return self.moments_.is_known

    def scores(self, queries: Sequence[str], vectors: Floats) -> Floats:
        """``(n_queries, n_videos)`` log odds but for a constant of each query; NaN for no passage.

        Of the words the best passage counts, of the meaning half the best and half the mean, in
        deviations of its noise (see `moments.MomentIndex`).
        """
        cosines = self.moments_.cosines(vectors)
        noise = deviation(cosines, least=_LEAST_DEVIATION, usual=_USUAL_DEVIATION)
        words = self._best(self.lexical.scores(queries))
        return np.asarray(_MEANING * cosines / noise + _WORDS * words, dtype=np.float32)

    def covers(self, queries: Sequence[str]) -> npt.NDArray[np.bool_]:
        """``(n_queries, n_videos)`` whether one passage has every word of the query."""
        share = self._best(self.lexical.coverage(queries))
        return np.asarray(np.nan_to_num(share) >= 1)

    def moments(
        self, queries: Sequence[str], vectors: Floats, video_nums: Ints
    ) -> npt.NDArray[np.float64]:
        """The second of the best passage of each ``(queries[i], video_nums[i])``; NaN for none."""
        words = {query: num for num, query in enumerate(dict.fromkeys(queries))}
        found = self.lexical.scores(list(words))
        return np.array(
            [
                self._moment(vector, found[words[query]], num)
                for query, vector, num in zip(queries, vectors, video_nums, strict=True)
            ],
            dtype=np.float64,
        )

    def _moment(self, vector: Floats, words: Floats, video_num: int) -> float:
        first, last = self.moments_.offsets[video_num : video_num + 2]
        if first == last:
            return float("nan")
        cosines = self.vectors[first:last] @ vector
        best = int(np.argmax(cosines / _USUAL_DEVIATION + words[first:last]))
        return float(self.moments_.at_s[first:last][best])

    def _best(self, scores: Floats) -> Floats:
        """``(n_queries, n_videos)`` the best of each video's passages; NaN for none."""
        known = self.is_known
        found = np.full((len(scores), len(known)), np.nan, dtype=np.float32)
        if known.any() and len(scores):
            starts = self.moments_.offsets[:-1][known]
            found[:, known] = np.maximum.reduceat(scores, starts, axis=1)
        return found

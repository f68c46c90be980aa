"""Spelling: texts compared by pieces of their words; a slip of the pen still meets its word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.language.terms import split_terms

_LENGTH = 4
"""Letters a piece; the word is marked at both ends."""


@dataclass(frozen=True)
class SpellingIndex:
    """TF-IDF of pieces of words.

    Attributes:
        pieces: ``(n_pieces, n_videos)`` columns of length 1.
        idf: ``(n_pieces,)``.
        vocabulary: piece -> row.
    """

    pieces: sp.csr_matrix
    idf: npt.NDArray[np.float64]
    vocabulary: dict[str, int]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "SpellingIndex":
        """Index one short text a video (title and tags)."""
        vocabulary: dict[str, int] = {}
        counts = _count(texts, vocabulary, grow=True)
        in_videos = np.bincount(counts.indices, minlength=len(vocabulary))
        idf = np.log((len(texts) + 1) / (in_videos + 0.5))
        rows = _unit(counts, idf)
        return cls(sp.csr_matrix(rows.T, dtype=np.float32), idf, vocabulary)

    def scores(self, queries: Sequence[str]) -> npt.NDArray[np.float32]:
        """``(n_queries, n_videos)`` cosines from 0 to 1."""
        rows = _unit(_count(queries, self.vocabulary, grow=False), self.idf)
        cosines: npt.NDArray[np.float32] = (rows @ self.pieces).toarray()
        return cosines.astype(np.float32)


def _count(texts: Sequence[str], vocabulary: dict[str, int], *, grow: bool) -> sp.csr_matrix:
    columns: list[int] = []
    values: list[int] = []
    offsets = [0]
    for text in texts:
        counted = Counter(piece for term in split_terms(text) for piece in _pieces(term))
        for piece, n in counted.items():
            column = (
                vocabulary.setdefault(piece, len(vocabulary)) if grow else vocabulary.get(piece)
            )
            if column is not None:
                columns.append(column)
                values.append(n)
        offsets.append(len(columns))
    arrays = (np.array(values, dtype=np.float64), np.array(columns, dtype=np.int64), offsets)
    return sp.csr_matrix(arrays, shape=(len(texts), len(vocabulary)))


def _pieces(term: str) -> list[str]:
    marked = f"_{term}_"
    n = len(marked) - _LENGTH + 1
    return [marked[first : first + _LENGTH] for first in range(n)] if n > 1 else [marked]


def _unit(counts: sp.csr_matrix, idf: npt.NDArray[np.float64]) -> sp.csr_matrix:
    weighed = counts.copy()
    weighed.data = (1 + np.log(weighed.data)) * np.maximum(idf, 0)[weighed.indices]
    norms = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1))).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(norms > 0, norms, 1)) @ weighed)

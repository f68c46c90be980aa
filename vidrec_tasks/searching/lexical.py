"""Lexical search: BM25 over the fields of a catalogue, any number of queries at once.

BM25F: Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (2004).
A sparse product of our own, because SQLite's full text cuts no Chinese and answers one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.language.terms import count_terms, split_terms
from vidrec_tasks.language.words import FUNCTION_WORDS

K1: Final = 1.2
B: Final = 0.75
"""The values of the literature; they are not tuned here."""


@dataclass(frozen=True)
class LexicalIndex:
    """BM25 weights of all terms in all videos.

    Attributes:
        weights: ``(n_terms, n_videos)`` float32: what one term of a query adds to a video.
        vocabulary: term -> row.
        has_text: ``(n_videos,)`` whether a video has any term.
    """

    weights: sp.csr_matrix
    vocabulary: dict[str, int]
    has_text: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, fields: Sequence[tuple[float, Sequence[str]]]) -> "LexicalIndex":
        """Index a catalogue.

        Args:
            fields: a weight and the text of every video, for each field.
        """
        _, vocabulary = count_terms([text for _, texts in fields for text in texts])
        counts = [count_terms(texts, vocabulary)[0] for _, texts in fields]
        frequency = sum(
            weight * _by_length(count) for (weight, _), count in zip(fields, counts, strict=True)
        )
        total = sp.csr_matrix(frequency)
        n_videos = total.shape[0]
        in_videos = np.bincount(total.indices, minlength=len(vocabulary))
        idf = np.log1p((n_videos - in_videos + 0.5) / (in_videos + 0.5))
        total.data = idf[total.indices] * total.data * (K1 + 1) / (total.data + K1)
        weights = sp.csr_matrix(total.T, dtype=np.float32)
        return cls(weights, vocabulary, np.asarray(total.getnnz(axis=1) > 0))

    def scores(self, queries: Sequence[str]) -> npt.NDArray[np.float32]:
        """``(n_queries, n_videos)`` BM25 scores, 0 where no term is shared.

        Words of grammar are left out unless the query has no others.
        """
        counts, _ = count_terms([_content(query) for query in queries], self.vocabulary)
        counts.data = np.minimum(counts.data, 1)
        scores: npt.NDArray[np.float32] = (counts @ self.weights).toarray()
        return scores

    def coverage(self, queries: Sequence[str]) -> npt.NDArray[np.float32]:
        """``(n_queries, n_videos)`` share of a query's words that each has; 0 where it has none."""
        shares = np.zeros((len(queries), self.weights.shape[1]), dtype=np.float32)
        for num, query in enumerate(queries):
            terms = set(split_terms(_content(query)))
            rows = [self.vocabulary[term] for term in terms if term in self.vocabulary]
            if terms and len(rows) == len(terms):
                shares[num] = np.asarray((self.weights[rows] > 0).sum(axis=0)).ravel() / len(terms)
        return shares


def joined(names: Sequence[Sequence[str]]) -> list[str]:
    """Lists of tags as texts."""
    return [" · ".join(tags) for tags in names]


def _by_length(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Counts over the field's relative length: a word in a short title says more."""
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    mean = lengths[lengths > 0].mean() if (lengths > 0).any() else 1.0
    return sp.csr_matrix(sp.diags(1 / (1 - B + B * lengths / mean)) @ counts)


def _content(query: str) -> str:
    words = query.split()
    kept = [word for word in words if not _is_grammar(word)]
    return " ".join(kept or words)


def _is_grammar(word: str) -> bool:
    return all(term in _GRAMMAR for term in split_terms(word))


_GRAMMAR: Final[Mapping[str, None]] = dict.fromkeys(
    [*(term for word in FUNCTION_WORDS for term in split_terms(word)), "的", "了", "是", "在", "和"]
)

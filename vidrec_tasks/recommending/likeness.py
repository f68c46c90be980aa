"""Likeness: how alike two videos are in what they show and say, whoever watched them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from vidrec_tasks.audience.topics import topic_matrix
from vidrec_tasks.language.terms import count_terms
from vidrec_tasks.recommending.content import Content

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_MAX_SHARE = 0.2
"""Share of videos above which a word tells nothing of one; it costs most of the time besides."""


@dataclass(frozen=True)
class Likeness:
    """Embeddings and words of the same videos.

    Attributes:
        fused: ``(n_videos, dim)`` unit rows or zero rows.
        words: ``(n_videos, n_terms)`` unit rows or empty rows.
    """

    fused: Floats
    words: sp.csr_matrix

    @classmethod
    def of(cls, content: Content, texts: Sequence[str] | None = None) -> "Likeness":
        """The likeness of a catalogue.

        Args:
            content: fused embeddings and topics.
            texts: what each video says in words (title, description); topics alone when None.
        """
        topics = sp.csr_matrix(topic_matrix(content.topics)[0])
        words = _unit(_weighed(topics))
        if texts is not None:
            words = _unit(sp.hstack([words, _unit(_weighed(count_terms(texts)[0]))], format="csr"))
        return cls(content.fused, sp.csr_matrix(words, dtype=np.float32))

    def block(self, nums: Ints) -> Floats:
        """``(n_nums, n_videos)`` from 0 to 1: the mean of the cosines of embeddings and of words.

        Meaning finds what is said in other words, words find names that an encoder does not know;
        where a video lacks one of them, the other speaks alone.
        """
        meaning = np.clip(self.fused[nums] @ self.fused.T, 0, 1)
        words = (self.words[nums] @ self.words.T).toarray()
        both = _has(self.words)[nums] & (np.abs(self.fused[nums]).sum(axis=1) > 0)
        total: Floats = (meaning + words) / np.where(both, 2, 1)[:, np.newaxis]
        return total.astype(np.float32)


def _weighed(counts: sp.csr_matrix) -> sp.csr_matrix:
    """Logarithms of counts, times how rare the term is; frequent terms go."""
    n_videos = counts.shape[0]
    in_videos = np.bincount(counts.indices, minlength=counts.shape[1])
    idf = np.log((n_videos + 1) / (in_videos + 0.5))
    if n_videos >= 1 / _MAX_SHARE:
        idf[in_videos > max(2, _MAX_SHARE * n_videos)] = 0
    weighed = counts.astype(np.float64)
    weighed.data = (1 + np.log(weighed.data)) * np.maximum(idf, 0)[weighed.indices]
    weighed.eliminate_zeros()
    return weighed


def _unit(rows: sp.csr_matrix) -> sp.csr_matrix:
    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1))).ravel()
    return sp.csr_matrix(sp.diags(1 / np.where(norms > 0, norms, 1)) @ rows)


def _has(rows: sp.csr_matrix) -> npt.NDArray[np.bool_]:
    return np.asarray(np.diff(rows.indptr) > 0)

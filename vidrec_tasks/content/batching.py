"""Batches of like length, so that hardly anything is padded."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

TOKENS: Final = 4_096
"""Tokens a batch holds at most, padding included, where texts are long."""


def batches_by_length(
    lengths: Sequence[int], batch_size: int, *, n_tokens: int = TOKENS
) -> Iterator[npt.NDArray[np.int64]]:
    """Split positions into batches of like length, longest first.

    Args:
        lengths: tokens of each text.
        batch_size: texts a batch may hold.
        n_tokens: tokens a batch may hold, unless a single text has more.

    Yields:
        Positions in ``lengths``; every position once.
    """
    order = np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable")
    begin = 0
    while begin < len(order):
        longest = max(int(lengths[order[begin]]), 1)
        size = max(1, min(batch_size, n_tokens // longest))
        yield order[begin : begin + size]
        begin += size

"""Batches of one shape: texts of like length together, filled up to so many rows and tokens.

A product of another shape is summed in another order, so a text alone and the same text beside
others had vectors that differed: by 2e-7 in float32 and by 2e-3 in bfloat16, where the processor
has AVX-512. In batches whose shape depends on its own length alone a text has one vector.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

TOKENS: Final = 256
"""Tokens of a batch on a processor, padding included: as quick as 4,096, with less to fill up."""
GPU_TOKENS: Final = 4_096
IMAGES: Final = 8
"""Images of a batch on a processor."""
STEP: Final = 8
"""Texts are padded to a multiple of so many tokens."""


class Batch(NamedTuple):
    """Texts that are encoded together.

    Attributes:
        nums: positions of the texts; every position is in one batch.
        rows: the same, filled up by repeating them to what every batch of this width has.
        width: tokens that each is padded to.
    """

    nums: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    width: int


def batches_of_one_shape(
    lengths: Sequence[int], batch_size: int, *, longest: int, device: str = "cpu"
) -> Iterator[Batch]:
    """Split texts into batches, longest first.

    Args:
        lengths: tokens of each text.
        batch_size: texts a batch may hold.
        longest: tokens that no text may be padded beyond.
        device: where they are encoded; a batch there has so many tokens at most, or one text.

    Yields:
        Batches whose rows and width follow from the width alone.
    """
    n_tokens = TOKENS if device == "cpu" else GPU_TOKENS
    tokens = np.maximum(np.asarray(lengths, dtype=np.int64), 1)
    widths = np.maximum(np.minimum(-(-tokens // STEP) * STEP, longest), tokens)
    for width in np.unique(widths)[::-1].tolist():
        mine = np.flatnonzero(widths == width)
        n_rows = max(1, min(batch_size, n_tokens // width))
        for begin in range(0, len(mine), n_rows):
            nums = mine[begin : begin + n_rows]
            yield Batch(nums, np.resize(nums, n_rows), width)


def image_batches(n_images: int, batch_size: int, *, device: str = "cpu") -> Iterator[Batch]:
    """Split images, which are of one width, into batches of one number of rows."""
    n_rows = max(1, min(batch_size, IMAGES) if device == "cpu" else batch_size)
    for begin in range(0, n_images, n_rows):
        nums = np.arange(begin, min(begin + n_rows, n_images), dtype=np.int64)
        yield Batch(nums, np.resize(nums, n_rows), 1)

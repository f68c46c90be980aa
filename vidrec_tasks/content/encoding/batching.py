"""Batches: texts of like length together, within blocks that the caller names.

The last digits of a product depend on the shape of a batch and on a row's place in it, so texts are
put together only with those of their own block; what is in a block is the caller's to say, and
never how many shards or workers there are (docs/decisions/0024).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

TOKENS: Final = 256
"""Tokens of a batch on a processor, padding included: as quick as 4,096."""
GPU_TOKENS: Final = 4_096
IMAGES: Final = 8
"""Images of a batch on a processor: 8 stay in its cache (51 frames/s a core); 32 do not (35)."""
STEP: Final = 8
"""Texts are padded to a multiple of so many tokens."""


class Batch(NamedTuple):
    """Texts that are encoded together.

    Attributes:
        nums: positions of the texts; every position is in one batch.
        width: tokens that each is padded to.
    """

    nums: npt.NDArray[np.int64]
    width: int


def batches_of(
    lengths: Sequence[int],
    blocks: Sequence[int],
    batch_size: int,
    *,
    longest: int,
    device: str = "cpu",
) -> Iterator[Batch]:
    """Split texts into batches, longest first within a block.

    Args:
        lengths: tokens of each text.
        blocks: the block of each text.
        batch_size: texts a batch may hold.
        longest: tokens that no text may be padded beyond.
        device: where they are encoded; a batch there has so many tokens at most, or one text.

    Yields:
        Batches of one block each, that follow from the block's lengths and their order alone.
    """
    n_tokens = TOKENS if device == "cpu" else GPU_TOKENS
    tokens = np.maximum(np.asarray(lengths, dtype=np.int64), 1)
    widths = np.maximum(np.minimum(-(-tokens // STEP) * STEP, longest), tokens)
    order = np.lexsort((-widths, np.asarray(blocks, dtype=np.int64)))
    begin = 0
    while begin < len(order):
        width, block = int(widths[order[begin]]), blocks[order[begin]]
        end = begin + max(1, min(batch_size, n_tokens // width))
        nums = order[begin:end]
        nums = nums[[blocks[num] == block for num in nums]]
        yield Batch(nums, width)
        begin += len(nums)


def image_batches(
    blocks: Sequence[int], batch_size: int, *, device: str = "cpu"
) -> Iterator[npt.NDArray[np.int64]]:
    """Split images into batches of one block each; yields their positions.

    Args:
        blocks: the block of each image.
        batch_size: images a batch may hold.
        device: where they are encoded.
    """
    n_rows = max(1, min(batch_size, IMAGES) if device == "cpu" else batch_size)
    for nums in chunks_of_blocks(np.arange(len(blocks)), np.asarray(blocks, dtype=np.int64), 1):
        for begin in range(0, len(nums), n_rows):
            yield nums[begin : begin + n_rows]


def chunks_of_blocks(
    nums: npt.NDArray[np.int64], blocks: npt.NDArray[np.int64], size: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield parts of ``nums`` that hold whole blocks, each as small as reaches ``size``.

    Args:
        nums: positions.
        blocks: ``(n,)`` the block of each position.
        size: how many positions are enough.
    """
    nums = nums[np.argsort(blocks[nums], kind="stable")]
    starts = [*np.flatnonzero(np.diff(blocks[nums], prepend=-1)).tolist(), len(nums)]
    begin = 0
    for end in starts[1:]:
        if end - begin >= size or end == len(nums):
            yield nums[begin:end]
            begin = end


def alone(n: int, blocks: Sequence[int] | None) -> list[int]:
    """The block of each of ``n`` things; None: each is one of its own."""
    return list(range(n)) if blocks is None else [int(block) for block in blocks]

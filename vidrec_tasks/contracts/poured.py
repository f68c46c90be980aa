"""Parts that are made as they are written: a large one is never held as a whole."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from vidrec_tasks.hardware import release_pages

Write: TypeAlias = Callable[[bytes | memoryview], object]
Array: TypeAlias = npt.NDArray[Any]

_BLOCK: Final = 16_384
"""Rows that are gathered at once: 25 MB of 384 dimensions."""


@dataclass(frozen=True)
class Poured:
    """Bytes that are made as they are written.

    Attributes:
        size: their number.
        pour: gives them to a function that writes, one piece after the other; may be called again.
    """

    size: int
    pour: Callable[[Write], object]


class Gathered:
    """``(n, …)`` rows of arrays that follow one another, gathered a block at a time.

    Args:
        open_arrays: gives the arrays, at least one, of one dtype and equal but for their lengths;
            asked again for what is poured, so that they are held only as long as they are read.
        rows: ``(n,)`` which row of them each row is.
    """

    def __init__(
        self, open_arrays: Callable[[], Sequence[Array]], rows: npt.NDArray[np.intp]
    ) -> None:
        self._open = open_arrays
        self._rows = rows
        first = open_arrays()[0]
        self.dtype = first.dtype
        self.shape = (len(rows), *first.shape[1:])
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        """How many rows."""
        return len(self._rows)

    def __getitem__(self, some: slice) -> Array:
        """Some of the rows."""
        return self._gather(self._open(), some)

    def blocks(self) -> Iterator[Array]:
        """All rows, some at a time."""
        arrays = self._open()
        for first in range(0, len(self), _BLOCK):
            yield self._gather(arrays, slice(first, first + _BLOCK))

    def whole(self) -> Array:
        """All rows at once."""
        made = np.empty(self.shape, dtype=self.dtype)
        for num, block in enumerate(self.blocks()):
            made[num * _BLOCK : num * _BLOCK + len(block)] = block
        return made

    def _gather(self, arrays: Sequence[Array], some: slice) -> Array:
        rows = self._rows[some]
        made = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        begins = np.cumsum([0, *map(len, arrays)])
        of = np.searchsorted(begins, rows, side="right") - 1
        for num in np.unique(of):
            is_of = of == num
            made[is_of] = arrays[num][rows[is_of] - begins[num]]
            release_pages(arrays[num])
        return made

"""Parts that are made as they are written: a large one is never held as a whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Write: TypeAlias = Callable[[bytes | memoryview], object]


@dataclass(frozen=True)
class Poured:
    """Bytes that are made as they are written.

    Attributes:
        size: their number.
        pour: gives them to a function that writes, one piece after the other; may be called again.
    """

    size: int
    pour: Callable[[Write], object]

    @classmethod
    def of(cls, data: bytes) -> "Poured":
        """Bytes that are there already."""
        return cls(len(data), lambda write: write(data))

    def collect(self) -> bytes:
        """All of them; those that are there already are not copied."""
        pieces: list[bytes | memoryview] = []
        self.pour(pieces.append)
        if len(pieces) == 1 and isinstance(pieces[0], bytes):
            return pieces[0]
        return b"".join(pieces)

"""Parts: what an artefact holds, each part read as the kind that is declared of it."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.contracts.artefacts import shape_of
from vidrec_tasks.contracts.shapes import Array, Binary, Json, Shape, Table
from vidrec_tasks.errors import ContractError

Number = TypeVar("Number", np.float32, np.int64)

TABLE: Final = "table"
"""The part that most artefacts have."""


@dataclass(frozen=True)
class Parts:
    """The parts of one artefact.

    Every method raises ContractError, which names artefact and part, where the part is not
    declared, is declared as another kind, or holds another kind.

    Attributes:
        name: of the artefact, with its shard.
        read: gives the value of a part by its name.
        open: gives a stream of the bytes of a part; None: its value is read and streamed.
    """

    name: str
    read: Callable[[str], object]
    open: Callable[[str], BinaryIO] | None = None

    def table(self, part: str = TABLE) -> pd.DataFrame:
        """A part that is a frame."""
        refuse_other_kind(self.name, part, Table)
        value = self.read(part)
        if not isinstance(value, pd.DataFrame):
            raise self._found(part, Table, value)
        return value

    def array(self, part: str) -> npt.NDArray[np.float32]:
        """A part that is an array of numbers with fractions."""
        return self._array(part, np.float32)

    def integers(self, part: str) -> npt.NDArray[np.int64]:
        """A part that is an array of whole numbers."""
        return self._array(part, np.int64)

    def json(self, part: str) -> dict[str, object]:
        """A part that is JSON."""
        refuse_other_kind(self.name, part, Json)
        value = self.read(part)
        if not isinstance(value, dict):
            raise self._found(part, Json, value)
        return value

    def binary(self, part: str) -> bytes:
        """A part that is bytes of another format."""
        refuse_other_kind(self.name, part, Binary)
        value = self.read(part)
        if not isinstance(value, bytes):
            raise self._found(part, Binary, value)
        return value

    def stream(self, part: str) -> BinaryIO:
        """A part that is bytes of another format, to be read a piece at a time and closed."""
        if self.open is None:
            return io.BytesIO(self.binary(part))
        refuse_other_kind(self.name, part, Binary)
        return self.open(part)

    def _array(self, part: str, kind: type[Number]) -> npt.NDArray[Number]:
        shape = refuse_other_kind(self.name, part, Array)
        dtype = np.dtype(kind).name
        if isinstance(shape, Array) and shape.dtype != dtype:
            raise _error(self.name, part, f"is declared as {shape.dtype}, but read as {dtype}")
        value = self.read(part)
        if not isinstance(value, np.ndarray):
            raise self._found(part, Array, value)
        return value

    def _found(self, part: str, kind: type[Shape], value: object) -> ContractError:
        what = f"is declared as {_WORDS[kind]}, but holds {type(value).__name__}"
        return _error(self.name, part, what)


def refuse_other_kind(name: str, part: str, kind: type[Shape]) -> Shape:
    """The shape of a part that is read as a kind.

    Raises:
        ContractError: it is declared as another kind, or not at all.
    """
    shape = shape_of(name, part)
    if shape is None:
        raise _error(name, part, "was not declared")
    if not isinstance(shape, kind):
        what = f"is declared as {_WORDS[type(shape)]}, but read as {_WORDS[kind]}"
        raise _error(name, part, what)
    return shape


_WORDS: Final[dict[type[Shape], str]] = {
    Table: "a table", Array: "an array", Json: "JSON", Binary: "bytes",
}  # fmt: skip


def _error(name: str, part: str, what: str) -> ContractError:
    return ContractError(f"artefact {name}, part {part}: {what}; see contracts/artefacts.py")

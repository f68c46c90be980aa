"""Choosing: the next token of each sentence of a batch; within a grammar see `constraining`."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch


class Chooser(Protocol):
    """Chooses the next tokens of the rows that are still being written."""

    def begin(self, row: int) -> list[int]:
        """The tokens a sentence begins with in any case."""

    def choose(self, states: torch.Tensor, rows: Sequence[int]) -> list[list[int]]:
        """The next tokens of each row: the one that was chosen, and any that must follow it.

        Args:
            states: ``(n_rows, width)`` last states of the model.
            rows: ``(n_rows,)`` which sentence of the batch each is.
        """

    def is_done(self, row: int, written: list[int]) -> bool:
        """Whether a sentence is whole, given its new tokens."""

    def is_valid(self, row: int) -> bool:
        """Whether what was written may be an answer, as far as its form goes."""


class FreeChooser:
    """Any token of the vocabulary; the most probable one.

    Args:
        head: the model's output layer.
        is_whole: whether new tokens end a sentence.
    """

    def __init__(self, head: torch.nn.Linear, *, is_whole: Callable[[list[int]], bool]) -> None:
        self._head, self._is_whole = head, is_whole

    def begin(self, row: int) -> list[int]:
        """Nothing."""
        return []

    def choose(self, states: torch.Tensor, rows: Sequence[int]) -> list[list[int]]:
        """The most probable token of each row."""
        return [[int(token)] for token in self._head(states).argmax(dim=-1)]

    def is_done(self, row: int, written: list[int]) -> bool:
        """Whether the new tokens end a sentence."""
        return self._is_whole(written)

    def is_valid(self, row: int) -> bool:
        """Any sentence may be one."""
        return True

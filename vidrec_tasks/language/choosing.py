"""Choosing: the next token of each sentence of a batch, freely or within bounds."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch

from vidrec_tasks.language.binding import Walk


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


class BoundChooser:
    """The most probable token among those that each sentence's bounds allow.

    Only the rows of the output layer that any sentence may ever need are multiplied: some hundred
    of 49,152, which is a fifth of what a token of the embedded model costs.

    Args:
        head: the model's output layer.
        walks: one a sentence of the batch.
    """

    def __init__(self, head: torch.nn.Linear, walks: Sequence[Walk]) -> None:
        self._walks = walks
        self._tokens = sorted(set().union(*(walk.tokens() for walk in walks)))
        self._columns = {token: column for column, token in enumerate(self._tokens)}
        self._weight = head.weight[self._tokens]  # (n_tokens, width)
        self._bias: Any = None if head.bias is None else head.bias[self._tokens]

    def begin(self, row: int) -> list[int]:
        """Nothing."""
        return []

    def choose(self, states: torch.Tensor, rows: Sequence[int]) -> list[list[int]]:
        """The most probable allowed token of each row."""
        logits = torch.nn.functional.linear(states, self._weight, self._bias).float()
        barred = np.full(tuple(logits.shape), -np.inf, dtype=np.float32)
        for place, row in enumerate(rows):
            barred[place, [self._columns[token] for token in self._walks[row].allowed()]] = 0
        columns = (logits + torch.from_numpy(barred).to(logits.device)).argmax(dim=-1)
        chosen = [self._tokens[int(column)] for column in columns]
        for row, token in zip(rows, chosen, strict=True):
            self._walks[row].take(token)
        return [[token] for token in chosen]

    def is_done(self, row: int, written: list[int]) -> bool:
        """Whether the sentence has its full stop."""
        return self._walks[row].is_done

    def is_valid(self, row: int) -> bool:
        """A walk never leaves its bounds."""
        return True

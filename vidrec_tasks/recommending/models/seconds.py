"""Seconds: how long each model took, for whoever asked before the fit began.

Times are of one run on one machine, so they are kept in receipts and in no artefact.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_COUNTED: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextmanager
def counting() -> Iterator[dict[str, float]]:
    """Give a dict in which the seconds of each model add up while this lasts: name -> seconds."""
    seconds: dict[str, float] = {}
    token = _COUNTED.set(seconds)
    try:
        yield seconds
    finally:
        _COUNTED.reset(token)


@contextmanager
def taking(name: str) -> Iterator[None]:
    """Add what this takes to the seconds of a model, if anybody counts; also as a decorator."""
    begin = time.monotonic()
    try:
        yield
    finally:
        counted = _COUNTED.get()
        if counted is not None:
            counted[name] = counted.get(name, 0.0) + time.monotonic() - begin

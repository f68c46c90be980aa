"""Leases: a night's lock that expires, so that a killed run never blocks its own retry."""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

from vidrec_tasks.errors import RunUnderWay, StoreError
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

PATIENCE_S: Final = 10.0
"""Seconds after which a guard must have been left by somebody who died."""


class Lease:
    """The right to work on one night, held by one owner.

    Args:
        store: the store.
        night: the night.
        owner: who works; the same owner may take it again at any time.
        lease_s: seconds it lives unless renewed.
        is_process: the owner is this process, so that its death ends the lease at once.
    """

    def __init__(
        self, store: Store, night: date, *, owner: str, lease_s: float, is_process: bool = False
    ) -> None:
        self.store = store
        self.night = night
        self.owner = owner
        self.lease_s = lease_s
        self.is_process = is_process
        self.path = store.path("locks", f"{night.isoformat()}.json")

    @classmethod
    def is_held(cls, store: Store, night: date) -> bool:
        """Whether somebody, whoever it is, works on a night."""
        held = cls(store, night, owner="", lease_s=0)._holder()
        return held is not None and _is_alive(held)

    def take(self) -> None:
        """Take or renew the lease.

        Raises:
            RunUnderWay: somebody else holds it; the message says who and until when.
        """
        with self._guard():
            held = self._holder()
            if held is not None and held["owner"] != self.owner and _is_alive(held):
                left = held["expires_at"] - time.time()
                message = (
                    f"night {self.night}: a run is under way, owned by {held['owner']}; wait for "
                    f"it, or if it was killed, for its lease to end in {max(left, 0):.0f} s"
                )
                raise RunUnderWay(message)
            self.store.write_json(self.path, self._claim())

    def release(self) -> None:
        """Give the lease back, if this owner still holds it."""
        with self._guard():
            held = self._holder()
            if held is not None and held["owner"] == self.owner:
                self.path.unlink(missing_ok=True)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Hold the lease while the block runs, renewing it in the background.

        Raises:
            RunUnderWay: somebody else holds it.
        """
        self.take()
        done = threading.Event()
        renewer = threading.Thread(target=self._renew, args=(done,), daemon=True)
        renewer.start()
        try:
            yield
        finally:
            done.set()
            renewer.join()

    def _renew(self, done: threading.Event) -> None:
        while not done.wait(self.lease_s / 3):
            try:
                self.take()
            except Exception:
                log.exception("night %s: the lease could not be renewed", self.night)

    def _claim(self) -> dict[str, Any]:
        return {
            "owner": self.owner,
            "expires_at": time.time() + self.lease_s,
            "host": socket.gethostname(),
            "pid": os.getpid() if self.is_process else None,
        }

    def _holder(self) -> dict[str, Any] | None:
        return self.store.read_json(self.path) if self.store.exists(self.path) else None

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """A few milliseconds alone with the lock file: only one can create a file."""
        guard = self.path.with_suffix(".guard")
        patience = time.monotonic() + PATIENCE_S
        while not self.store.create(guard, uuid.uuid4().hex.encode()):
            if time.monotonic() > patience:
                self._break(guard)
            time.sleep(0.01)
        try:
            yield
        finally:
            guard.unlink(missing_ok=True)

    def _break(self, guard: Any) -> None:
        """Remove a guard whose maker died between two lines: one breaker a guard, by its word."""
        try:
            word = self.store.read(guard).decode()
        except StoreError:  # it is gone
            return
        if not word:
            # a full disk or a kill let it be made and not written: renaming has one winner
            stale = guard.with_name(f"{guard.name}.{uuid.uuid4().hex}")
            with suppress(OSError):
                self.store.move(guard, stale)
                stale.unlink()
        elif self.store.create(guard.with_name(f"{guard.name}.{word}"), b""):
            log.warning("night %s: %s was left by a process that died", self.night, guard.name)
            guard.unlink(missing_ok=True)


def _is_alive(held: dict[str, Any]) -> bool:
    if held["expires_at"] < time.time():
        return False
    pid = held["pid"]
    if pid is None or held["host"] != socket.gethostname():
        return True
    return Path(f"/proc/{pid}").exists() or not Path("/proc").exists()

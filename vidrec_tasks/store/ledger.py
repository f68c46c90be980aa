"""Ledger: who asked to be forgotten, as keyed hashes, so that no later input brings them back."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

import pandas as pd

from vidrec_tasks.errors import StoreError
from vidrec_tasks.store.store import Store

_KEY_BYTES: Final = 32


class Ledger:
    """The hashes of forgotten users; the ids themselves are never written."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._folder = store.path("erasures", "ledger")
        self._first_path = store.path("erasures", "ledger.json")  # of versions before 0.2
        self._key_path = store.path("erasures", "key")
        self._read: dict[str, frozenset[str]] = {}

    def add(self, user_ids: Iterable[str]) -> int:
        """Write users down as forgotten, in a file of their own: others may do so at once.

        Returns:
            How many were not in the ledger yet.
        """
        known = self._hashes()
        key = self._key()
        new = {_keyed_hash(key, user_id) for user_id in user_ids} - known
        if new:
            name = hashlib.sha256("".join(sorted(new)).encode()).hexdigest()[:20]
            self.store.write_json(self._folder / f"{name}.json", sorted(new))
        return len(new)

    def holds(self, user_ids: pd.Series) -> pd.Series:
        """Whether each user was forgotten, as a bool series."""
        known = self._hashes()
        if not known:
            return pd.Series(False, index=user_ids.index)
        key = self._key()
        forgotten = {name for name in user_ids.unique() if _keyed_hash(key, str(name)) in known}
        return user_ids.isin(forgotten)

    def fingerprint(self) -> str:
        """Hash (hex) of the ledger: pinned inputs are made anew when it grew."""
        return hashlib.sha256("".join(sorted(self._hashes())).encode()).hexdigest()

    def _hashes(self) -> set[str]:
        paths = self.store.json_files(self._folder)
        paths += [self._first_path] if self.store.exists(self._first_path) else []
        for path in paths:
            if str(path) not in self._read:  # what is written is never changed
                self._read[str(path)] = frozenset(self.store.read_json(path))
        return {name for path in paths for name in self._read[str(path)]}

    def _key(self) -> bytes:
        if not self.store.exists(self._key_path):
            is_made = self.store.create(self._key_path, secrets.token_bytes(_KEY_BYTES))
            if is_made and self.store.is_local:
                self._key_path.chmod(0o600)
        key = self.store.read(self._key_path)
        if len(key) != _KEY_BYTES:
            message = (
                f"ledger: {self._key_path} holds {len(key)} bytes, not {_KEY_BYTES}: somebody is "
                "making it, or was killed; if it stays so, remove it where erasures/ledger is "
                "empty, else take it from a backup"
            )
            raise StoreError(message)
        return key


def _keyed_hash(key: bytes, user_id: str) -> str:
    return hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()

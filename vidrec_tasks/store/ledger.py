"""Ledger: who asked to be forgotten, as keyed hashes, so that no later input brings them back."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import pandas as pd

from vidrec_tasks.store.store import Store


class Ledger:
    """The hashes of forgotten users; the ids themselves are never written."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._hashes_path = store.path("erasures", "ledger.json")
        self._key_path = store.path("erasures", "key")

    def add(self, user_ids: Iterable[str]) -> int:
        """Write users down as forgotten.

        Returns:
            How many were not in the ledger yet.
        """
        known = self._hashes()
        key = self._key()
        new = {_keyed_hash(key, user_id) for user_id in user_ids} - known
        if new:
            self.store.write_json(self._hashes_path, sorted(known | new))
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
        if not self.store.exists(self._hashes_path):
            return set()
        return set(self.store.read_json(self._hashes_path))

    def _key(self) -> bytes:
        if not self.store.exists(self._key_path):
            self.store.write(self._key_path, secrets.token_bytes(32))
            if self.store.is_local:
                self._key_path.chmod(0o600)
        return self.store.read(self._key_path)


def _keyed_hash(key: bytes, user_id: str) -> str:
    return hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()

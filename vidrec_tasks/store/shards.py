"""Shards: a stable hash of an id says which shard it belongs to, on any machine, in any order."""

import hashlib
import math

import numpy as np
import numpy.typing as npt
import pandas as pd


def shard_of(ids: pd.Series, n_shards: int) -> npt.NDArray[np.int64]:
    """``(n,)`` shard numbers of ids: BLAKE2b of the id modulo the number of shards."""
    codes, unique = pd.factorize(ids)
    shards = np.array([stable_hash(str(name)) % n_shards for name in unique], dtype=np.int64)
    return shards[codes] if len(unique) else np.zeros(len(ids), dtype=np.int64)


def stable_hash(text: str) -> int:
    """A 64-bit hash of a text that is the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def n_shards_for(n_ids: int, ids_per_shard: int) -> int:
    """How many shards hold so many ids."""
    return max(1, math.ceil(n_ids / ids_per_shard))

"""Shards: a stable hash of an id says which shard it belongs to, on any machine, in any order."""

import hashlib
import math

import numpy as np
import numpy.typing as npt
import pandas as pd


def shard_of(ids: pd.Series, n_shards: int) -> npt.NDArray[np.int64]:
    """``(n,)`` shard numbers of ids: BLAKE2b of the id modulo the number of shards."""
    return shard_of_hashes(hashes_of(ids), n_shards)


def shard_of_hashes(hashes: npt.NDArray[np.uint64], n_shards: int) -> npt.NDArray[np.int64]:
    """``(n,)`` shard numbers of ids whose hashes are at hand."""
    return (hashes % np.uint64(n_shards)).astype(np.int64)


def hashes_of(ids: pd.Series) -> npt.NDArray[np.uint64]:
    """``(n,)`` the `stable_hash` of each id."""
    codes, unique = pd.factorize(ids)
    hashes = np.array([stable_hash(str(name)) for name in unique], dtype=np.uint64)
    return hashes[codes] if len(unique) else np.zeros(len(ids), dtype=np.uint64)


def stable_hash(text: str) -> int:
    """A 64-bit hash of a text that is the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def n_shards_for(n_ids: int, ids_per_shard: int) -> int:
    """How many shards hold so many ids."""
    return max(1, math.ceil(n_ids / ids_per_shard))

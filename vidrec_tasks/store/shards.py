"""Shards: which shard and which bucket an id belongs to, on any machine, in any order.

A bucket is the unit of computing: what is multiplied together is one bucket, in the order of its
ids. A shard is a set of whole buckets, the unit of a worker; so the number of shards decides who
computes a bucket and never what is in it (docs/decisions/0024).
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

IDS_PER_BUCKET: Final = 128
"""Ids that a bucket aims at: products of 128 rows are as quick as those of 256."""
MIN_BUCKETS: Final = 16
"""Buckets at least, so that a small world can be split too."""


@dataclass(frozen=True)
class Split:
    """How ids are split.

    Attributes:
        n_shards: sets of buckets, by the bucket's number modulo ``n_shards``.
        n_buckets: sets of ids, by the hash modulo ``n_buckets``; follows from the ids alone.
    """

    n_shards: int
    n_buckets: int

    @classmethod
    def of(cls, n_ids: int, ids_per_shard: int) -> "Split":
        """The split of so many ids, with shards of about ``ids_per_shard``."""
        n_buckets = max(MIN_BUCKETS, math.ceil(n_ids / IDS_PER_BUCKET))
        return cls(min(n_buckets, max(1, math.ceil(n_ids / ids_per_shard))), n_buckets)

    def buckets(self, ids: pd.Series) -> npt.NDArray[np.int64]:
        """``(n,)`` the bucket of each id."""
        return self.buckets_of_hashes(hashes_of(ids))

    def shards(self, ids: pd.Series) -> npt.NDArray[np.int64]:
        """``(n,)`` the shard of each id."""
        return self.shards_of_hashes(hashes_of(ids))

    def buckets_of_hashes(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """``(n,)`` the bucket of each id whose hash is at hand."""
        return (hashes % np.uint64(self.n_buckets)).astype(np.int64)

    def shards_of_hashes(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """``(n,)`` the shard of each id whose hash is at hand."""
        return self.buckets_of_hashes(hashes) % self.n_shards

    def shard_of(self, name: str) -> int:
        """The shard of one id."""
        return stable_hash(name) % self.n_buckets % self.n_shards


def hashes_of(ids: pd.Series) -> npt.NDArray[np.uint64]:
    """``(n,)`` the `stable_hash` of each id."""
    codes, unique = pd.factorize(ids)
    hashes = np.array([stable_hash(str(name)) for name in unique], dtype=np.uint64)
    return hashes[codes] if len(unique) else np.zeros(len(ids), dtype=np.uint64)


def stable_hash(text: str) -> int:
    """A 64-bit hash of a text (BLAKE2b) that is the same everywhere."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")

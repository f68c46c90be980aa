"""Picking: a few of many candidates, good and unlike each other, for lists that belong to no user.

Maximal marginal relevance: Carbonell and Goldstein (1998). Leaves users' lists to the reranker.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.units import spread_rows
from vidrec_tasks.recommending.catalogue.content import Content

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Picking:
    """How a list is picked.

    Attributes:
        n: videos at most.
        diversity: weight of likeness to what is picked already, against relevance; 0 is relevance.
        max_per_creator: videos of one creator, while there are others.
    """

    n: int
    diversity: float
    max_per_creator: int


def pick(nums: Ints, relevance: Floats, content: Content, how: Picking) -> list[int]:
    """Pick videos one by one; never two of a near-duplicate group.

    Args:
        nums: ``(n_candidates,)`` video_nums.
        relevance: ``(n_candidates,)`` from 0 to 1 or so; equal ones in the order of ``nums``.
        content: embeddings, groups and creators.
        how: length and variety.

    Returns:
        Places in ``nums``, in the order they were picked.
    """
    order = np.argsort(-relevance, kind="stable")
    vectors = spread_rows(content.fused, nums[order])
    left = relevance[order].astype(np.float64)  # of candidates that may still be picked
    likeness = np.zeros(len(nums))
    groups, creators = content.group_nums[nums[order]], content.creator_ids[nums[order]]
    n_of_creator: Counter[str] = Counter()
    over_cap = np.zeros(len(nums), dtype=bool)
    picked: list[int] = []
    while len(picked) < how.n and np.isfinite(left).any():
        worth = left - how.diversity * likeness
        within_cap = np.where(over_cap, -np.inf, worth)
        best = int(np.argmax(within_cap if np.isfinite(within_cap).any() else worth))
        picked.append(int(order[best]))
        left[best] = -np.inf
        if groups[best] >= 0:
            left[groups == groups[best]] = -np.inf
        creator = creators[best]
        n_of_creator[creator] += 1
        if creator and n_of_creator[creator] >= how.max_per_creator:
            over_cap |= creators == creator
        np.maximum(likeness, vectors @ vectors[best], out=likeness)
    return picked

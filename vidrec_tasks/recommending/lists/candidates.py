"""Candidates: videos worth ranking for a user, found by several sources, each named.

The rules are applied before anything is counted, so that no source spends its places on what may
not be shown.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.columns import SCORE, SOURCE, SOURCE_RANK, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.block import AskingBlock, Search
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.settings import RecommendingSettings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def find_candidates(
    search: Search,
    histories: Histories,
    eligible: Eligible,
    settings: RecommendingSettings,
    *,
    portraits: Floats | None = None,
    user_vectors: Floats | None = None,
) -> tuple[Ints, pd.DataFrame]:
    """Find the candidates of a block of users.

    Args:
        search: models and indexes.
        histories: the block; its videos are never candidates.
        eligible: what the rules let each user see.
        settings: n_candidates, n_per_source, min_score (cosine of content sources), n_exploration.
        portraits: ``(n_users, dim)`` embeddings of the users' portraits, zero where there is none;
            None: the topics that they would name stand in, as at a cut before the night.
        user_vectors: ``(n_users, dim + 1)`` as of `Models.user_vectors`; computed when None.

    Returns:
        ``(n_users, k)`` video_nums, -1 behind, and user_id, video_id, source (the one that placed
        it highest), source_rank, score (the source's own), in order of user and of merging.
    """
    block = AskingBlock(
        models=search.models,
        histories=histories,
        search=search,
        eligible=eligible.without(histories),
        settings=settings,
        portraits=portraits,
        user_vectors=user_vectors,
    )
    found = [
        (source.name, *source.find(block))
        for source in SOURCES
        if source.name not in settings.left_out
    ]
    return merge(found, histories, search.models.content, settings)


def merge(
    found: list[tuple[str, Floats, Ints]],
    histories: Histories,
    content: Content,
    settings: RecommendingSettings,
) -> tuple[Ints, pd.DataFrame]:
    """Merge what each source found, by name in the order of their turns.

    Returns:
        As `find_candidates`.
    """
    merged = _merge(found, histories.n_users, content.n_videos, settings)
    nums = np.full((histories.n_users, settings.n_candidates), -1, dtype=np.int64)
    nums[merged.users, merged.places] = merged.nums
    table = pd.DataFrame(
        {
            USER_ID: histories.user_ids[merged.users],
            VIDEO_ID: content.video_ids[merged.nums],
            SOURCE: merged.sources,
            SOURCE_RANK: merged.ranks,
            SCORE: merged.scores,
        }
    )
    texts = dict.fromkeys((USER_ID, VIDEO_ID, SOURCE), "str")
    return nums, table.astype({**texts, SOURCE_RANK: "int64", SCORE: "float64"})


@dataclass(frozen=True)
class _Merged:
    """The candidates of a block of users, by user and in order of merging; arrays of one length.

    Attributes:
        users, nums: who, and which video.
        places: place among the user's candidates, from 0.
        sources, ranks, scores: of the source that placed it highest.
    """

    users: Ints
    nums: Ints
    places: Ints
    sources: npt.NDArray[np.object_]
    ranks: Ints
    scores: npt.NDArray[np.float64]


def _merge(
    found: list[tuple[str, Floats, Ints]],
    n_users: int,
    n_videos: int,
    settings: RecommendingSettings,
) -> _Merged:
    """Take each source's best in turn until there are enough; the first to bring a video names it.

    All users of a block at once: one by one it was half of the time that finding candidates took.
    """
    longest = max((got.shape[1] for _, _, got in found), default=0)
    shape = (n_users, longest, len(found))
    nums = np.full(shape, -1, dtype=np.int64)
    scores = np.zeros(shape, dtype=np.float64)
    for place, (_, values, got) in enumerate(found):
        nums[:, : got.shape[1], place] = got
        scores[:, : got.shape[1], place] = values
    cells = np.flatnonzero(nums >= 0)  # in order of user, then place, then source
    users = cells // max(1, longest * len(found))
    pairs = users * n_videos + nums.ravel()[cells]
    cells = cells[np.sort(np.unique(pairs, return_index=True)[1])]
    users, places = _numbered(cells // max(1, longest * len(found)), n_users)
    kept = places < settings.n_candidates
    cells, users, places = cells[kept], users[kept], places[kept]
    _, ranks, sources = np.unravel_index(cells, shape) if len(cells) else (cells, cells, cells)
    names = np.array([name for name, _, _ in found], dtype=object)
    return _Merged(
        users, nums.ravel()[cells], places, names[sources], ranks + 1, scores.ravel()[cells]
    )


def _numbered(users: Ints, n_users: int) -> tuple[Ints, Ints]:
    """Users in rising order, and the number of each entry among its user's own."""
    counts = np.bincount(users, minlength=n_users)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return users, np.arange(len(users)) - starts[users]

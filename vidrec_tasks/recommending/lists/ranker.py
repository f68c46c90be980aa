"""Ranker: one score a candidate, as a sum of named parts, by one of the scorers.

To each the same part is added for what users turn away (`turning_away`). Every night scores all of
them (`scorers.registry`); one orders the lists.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.audience.spans import spans
from vidrec_tasks.columns import SCORE, SOURCE, USER_ID, VIDEO_ID
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.lists.features import FEATURES, left_out_of, measure_features
from vidrec_tasks.recommending.lists.left_out import LeftOut
from vidrec_tasks.recommending.lists.scorers.registry import scorer_named
from vidrec_tasks.recommending.lists.scorers.scorer import Learned, Parts, Scorer
from vidrec_tasks.recommending.lists.turning_away import TURNED_AWAY, part_of_score
from vidrec_tasks.recommending.models.models import Models

Ints = npt.NDArray[np.int64]

N_SCORED: Final = 4
"""Videos of a history that a costly score is asked without, for each listed video, at most."""
MIN_PART: Final = 0.25
"""Part of the largest guessed fall under which a costly score is not asked for."""
N_CHECKED: Final = 1
"""Videos of a history whose absence is not guessed, for each listed video: what is named most."""


def score(
    models: Models, histories: Histories, nums: Ints, *, scorer: str
) -> npt.NDArray[np.float64]:
    """The score of each candidate.

    Args:
        models: what was learned.
        histories: a block of users.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.
        scorer: the name of the scorer.

    Returns:
        ``(n_users, k)`` float64; what stands at -1 means nothing.
    """
    block = Block(models=models, histories=histories)
    asked, learned, features, against = _features(block, nums, scorer)
    return asked.scores(features, learned) + against


def score_falls(block: LeftOut, nums: Ints, *, scorer: str) -> npt.NDArray[np.float64]:
    """How much lower each candidate's score is in each row than with the whole history.

    All falls are guessed first: ``g(u)`` is, and so is a score that is costly. By that guess the
    `N_CHECKED` largest of a candidate are computed as `score` does, with nothing guessed; where a
    score is costly, it is asked for these, and for those of the `N_SCORED` largest that are not
    much smaller than the first (`MIN_PART`).

    Args:
        block: users, each without each of some videos.
        nums: ``(n_rows, k)`` candidates, the same in all rows of a user; -1 where fewer.
        scorer: the name of the scorer.

    Returns:
        ``(n_rows, k)`` float64; 0 where a costly score was not asked for. What stands at -1 means
        nothing.
    """
    asked, learned, features, against = _features(block, nums, scorer)
    whole = np.searchsorted(block.owners, block.owners)  # (n_rows,) the user's first row
    guessed = asked.guesses(features, learned) + against
    falls = guessed[whole] - guessed
    sizes = np.where((block.without >= 0)[:, None] & (nums >= 0), falls, -np.inf)
    places = _places_by_size(sizes, block.owners)
    is_checked = places < N_CHECKED
    rows, checked = block.checked(np.any(is_checked, axis=1))
    wanted = set(asked.wanted(learned)) - set(left_out_of(block))
    for place, feature in enumerate(FEATURES):
        if feature.reads_users and feature.name in wanted:
            features[rows, :, place] = feature.measure(checked, nums[rows])
    is_scored = np.ones(nums.shape, dtype=bool)
    if asked.is_costly:
        most = np.maximum.reduceat(sizes, np.flatnonzero(block.without < 0))[block.owners]
        is_scored = (places < N_SCORED) & (sizes >= MIN_PART * most)
        is_scored |= is_checked
        is_scored[block.without < 0] = True
    scores = np.zeros(nums.shape)
    found = asked.scores(features[is_scored][None], learned)[0]
    scores[is_scored] = found + against[is_scored]
    return np.where(is_scored, scores[whole] - scores, 0)


def _places_by_size(values: npt.NDArray[np.float64], groups: Ints) -> Ints:
    """``(n_rows, k)`` how many values of a column and group come before each, the largest first."""
    numbers = np.arange(len(groups)) - np.searchsorted(groups, groups)  # groups rise
    shape = (int(groups.max(initial=-1)) + 1, int(numbers.max(initial=-1)) + 1, values.shape[1])
    spread = np.full(shape, np.inf)
    spread[groups, numbers] = -values
    order = np.argsort(spread, axis=1, kind="stable")
    places = np.empty(shape, dtype=np.int64)
    np.put_along_axis(places, order, np.arange(shape[1])[None, :, None], axis=1)
    return np.asarray(places[groups, numbers])


def score_parts(models: Models, histories: Histories, nums: Ints, *, scorer: str) -> Parts:
    """The parts of each candidate's score; arguments as of `score`."""
    block = Block(models=models, histories=histories)
    asked, learned, features, against = _features(block, nums, scorer)
    parts = asked.parts(features, learned)
    values = np.concatenate([parts.values, against[..., None]], axis=-1)
    return Parts((*parts.names, TURNED_AWAY), values)


def _features(
    block: Block, nums: Ints, scorer: str
) -> tuple[Scorer, Learned, npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    asked = scorer_named(scorer)
    learned = block.models.configuration.learned.get(scorer, asked.usual)
    features = measure_features(block, nums, wanted=asked.wanted(learned))
    return asked, learned, features, part_of_score(block, nums)


def rank_candidates(
    models: Models, histories: Histories, candidates: pd.DataFrame, *, scorer: str
) -> pd.DataFrame:
    """Score candidates and order them.

    Args:
        models: what was learned.
        histories: users; those without candidates are left out of the result.
        candidates: user_id, video_id, source; one row a pair.
        scorer: the name of the scorer that orders the lists.

    Returns:
        user_id, video_id, source, score, by user, falling score, video_id.
    """
    id_order = _places_of(models.content.video_ids)
    tables = []
    for block, users, rows in blocks_of(histories, candidates):
        tables.append(_rank_block(models, block, users, rows, scorer, id_order))
        release_pages(models.content.fused)
    if not tables:
        none = {name: pd.Series(dtype="str") for name in (USER_ID, VIDEO_ID, SOURCE)}
        return pd.DataFrame({**none, SCORE: pd.Series(dtype="float64")})
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values(USER_ID, kind="stable", ignore_index=True)


def blocks_of(
    histories: Histories, candidates: pd.DataFrame
) -> Iterator[tuple[Histories, Ints, pd.DataFrame]]:
    """Yield a block of users, and its candidates by user with the number of each in the block.

    The candidates are put in order once: asking every block for its own out of a shard of 10,000
    users read two million rows 40 times.
    """
    index = pd.Index(histories.user_ids)
    users = index.get_indexer(pd.Index(candidates[USER_ID].astype(object))).astype(np.int64)
    ordered = candidates
    if (np.diff(users) < 0).any():
        order = np.argsort(users, kind="stable")
        users, ordered = users[order], candidates.iloc[order]
    places = np.searchsorted(users, np.arange(histories.n_users + 1))
    for nums, block in histories.blocks():
        counts = places[nums + 1] - places[nums]
        if counts.any():
            own = np.repeat(np.arange(len(nums)), counts)
            yield block, own, ordered.iloc[spans(places[nums], counts)]


def _rank_block(
    models: Models,
    block: Histories,
    users: Ints,
    mine: pd.DataFrame,
    scorer: str,
    id_order: Ints,
) -> pd.DataFrame:
    """The rows of a block of users in order."""
    found = models.content.nums_of(mine[VIDEO_ID])
    nums, places = pad(users, found, block.n_users)
    scores = score(models, block, nums, scorer=scorer)[users, places]
    order = np.lexsort((id_order[found], -scores, users))
    table = mine[[USER_ID, VIDEO_ID, SOURCE]].iloc[order].reset_index(drop=True)
    return table.assign(**{SCORE: scores[order]})


def _places_of(video_ids: npt.NDArray[np.object_]) -> Ints:
    """``(n_videos,)`` the place of each id among all in rising order."""
    places = np.empty(len(video_ids), dtype=np.int64)
    places[np.argsort(video_ids.astype(str), kind="stable")] = np.arange(len(video_ids))
    return places


def pad(users: Ints, nums: Ints, n_users: int) -> tuple[Ints, Ints]:
    """Rows of numbers, one a user, from pairs sorted by user.

    Returns:
        ``(n_users, k)`` the numbers, -1 behind, and ``(n_pairs,)`` the place of each pair in it.
    """
    counts = np.bincount(users, minlength=n_users)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    places = np.arange(len(users)) - starts[users]
    padded = np.full((n_users, int(counts.max(initial=0))), -1, dtype=np.int64)
    padded[users, places] = nums
    return padded, places

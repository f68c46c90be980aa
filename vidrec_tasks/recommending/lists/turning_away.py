"""Turning away: the chance that a user who met a video turns it away, as a part of every score.

A dislike, a skip, a short play of a long video or a rating below the user's own mean is a signal
against it (a weight below 0). Scores say what is watched next; this part lowers what is watched and
then turned away: videos that many turned away, and those that are more like what this user turned
away than like what they liked. Leaves the weight of an event to `audience.interactions`.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.recommending.lists.block import Block
from vidrec_tasks.recommending.models.models import Models

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

TURNED_AWAY: Final = "turned_away"
"""The part of a score, and what is learned for it."""
SIGNS: Final = ("crowd", "user", "likeness", "creator")
USUAL: Final[Mapping[str, float]] = {
    "constant": 0.0, "crowd": 1.0, "user": 0.5, "likeness": 1.0, "creator": 1.0,
}  # fmt: skip
"""Where too few events teach: the log odds of everybody and half of the user's own, the rest a
little."""
MIN_EACH: Final = 20
"""Videos turned away, and liked, under which nothing is learned."""

_N_READ = 50
"""Newest events of a user that likeness is measured to."""
_DOUBT = 10.0
"""Users of doubt that a video is given, at the share of all videos."""
_USER_DOUBT, _CREATOR_DOUBT, _LIKENESS_DOUBT = 3.0, 3.0, 3.0
_SHARPNESS = 5.0
"""By how much likeness prefers the near: exp(5 x) of a cosine x."""
_UNLIKE = 0.2
"""Cosine of videos that have nothing in common; doubt counts as such."""
_RIDGE = 0.01


def measure_signs(block: Block, nums: Ints) -> Doubles:
    """What speaks for turning away, each 0 where nothing is known.

    Args:
        block: the users.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.

    Returns:
        ``(n_users, k, n_signs)``: `SIGNS`. Log odds of everybody and of the user, over those of all
        events; the mean of what the user did with like videos, and with videos of the creator.
    """
    models, histories = block.models, block.histories
    base = models.popularity.turned_away_share
    found = np.zeros((*nums.shape, len(SIGNS)))
    found[..., 0] = _crowd(models, nums, base)
    found[..., 1] = _of_users(histories, base)[:, None]
    for rows, met, weights, has in block.newest(_N_READ):
        turned = np.clip(-weights.astype(np.float64), 0, 1)
        if not turned.any():
            continue  # nothing to be like
        alike = _alike(models, nums[rows.start], met, turned - base, has)
        against = np.any(has & (turned > 0), axis=1, keepdims=True)[..., None]
        found[rows, :, 2:] = np.where(against, alike, 0)
    return found


def part_of_score(block: Block, nums: Ints) -> Doubles:
    """``(n_users, k)`` what the part adds to each score: below 0 where more is turned away.

    The logarithm of the chance that a video is kept, over that of a usual one, less what the video
    has in common with what the user turned away; times the weight that the fit was told. Dislikes
    are rare, so a chance alone would hardly move for one, and who dislikes a video asks for less
    like it. 0 where nothing was ever turned away or nothing was learned.
    """
    learned = block.models.configuration.learned.get(TURNED_AWAY)
    if not learned or not learned["weight"]:
        return np.zeros(nums.shape)
    is_known = block.models.popularity.turned_away.any() or (block.histories.weights < 0).any()
    if not is_known or not nums.shape[1]:
        return np.zeros(nums.shape)
    signs = measure_signs(block, nums)
    usual = np.zeros((len(signs), 1, len(SIGNS)))
    usual[:, 0, 1] = signs[:, 0, 1]
    kept, kept_usually = (np.log1p(-_chance(block, of, learned)) for of in (signs, usual))
    in_common = np.maximum(signs[..., 2:], 0).sum(axis=-1)
    return np.asarray(learned["weight"] * (kept - kept_usually - in_common))


def learn(block: Block, liked: Ints, turned_away: Ints, *, weight: float) -> dict[str, Any]:
    """What each sign is worth, by logistic regression on videos that were met.

    Worths lean on the usual ones and are kept from falling below 0.

    Args:
        block: users as of the moment before they met them.
        liked: ``(n_users, k)`` what they then met and liked, -1 behind.
        turned_away: ``(n_users, k)`` what they then met and turned away, -1 behind.
        weight: of the part in a score.
    """
    nums = np.concatenate([liked, turned_away], axis=1)
    is_real = nums >= 0
    is_turned = np.broadcast_to(np.arange(nums.shape[1]) >= liked.shape[1], nums.shape)[is_real]
    usual = np.array(list(USUAL.values()))
    if min(is_turned.sum(), (~is_turned).sum()) < MIN_EACH:
        return {"weight": weight, "worths": dict(USUAL)}
    rows = measure_signs(block, nums)[is_real]
    rows = np.concatenate([np.ones((len(rows), 1)), rows], axis=1)
    base = _logit(block.models.popularity.turned_away_share)

    def loss(worths: Doubles) -> tuple[float, Doubles]:
        logits = base + rows @ worths
        likelihood = np.where(is_turned, -np.logaddexp(0, -logits), -np.logaddexp(0, logits))
        slope = (expit(logits) - is_turned) @ rows / len(rows)
        away = worths - usual
        return (
            float(-likelihood.mean() + _RIDGE * away @ away),
            np.asarray(slope + 2 * _RIDGE * away),
        )

    bounds = [(None, None), *[(0.0, None)] * len(SIGNS)]
    found = minimize(loss, usual, jac=True, method="L-BFGS-B", bounds=bounds).x
    return {"weight": weight, "worths": dict(zip(USUAL, map(float, found), strict=True))}


def _alike(models: Models, nums: Ints, met: Ints, own: Doubles, has: Mask) -> Doubles:
    """Of the last two signs, the weighted means over what rows of one list have met.

    Args:
        models: directions and creators.
        nums: ``(k,)`` candidates.
        met: ``(n_met,)`` videos.
        own: ``(n_met,)`` how much each was turned away, over the usual share.
        has: ``(n_rows, n_met)`` which of these events each row has.

    Returns:
        ``(n_rows, k, 2)``.
    """
    near = np.exp(_SHARPNESS * (_directions(models, met) @ _directions(models, nums).T))
    creators = models.content.creator_nums
    same = creators[met][:, None] == creators[nums][None, :]
    same &= creators[met][:, None] >= 0
    doubts = (_LIKENESS_DOUBT * np.exp(_SHARPNESS * _UNLIKE), _CREATOR_DOUBT)
    held = has.astype(np.float64)
    means = [
        (held * own) @ worth / (held @ worth + doubt)  # (n_rows, k)
        for worth, doubt in zip((near, same.astype(np.float64)), doubts, strict=True)
    ]
    return np.stack(means, axis=-1)


def _chance(block: Block, signs: Doubles, learned: Mapping[str, Any]) -> Doubles:
    """``(n_users, k)`` the chance that each is turned away."""
    worths = learned["worths"]
    logits = _logit(block.models.popularity.turned_away_share) + worths["constant"]
    for place, name in enumerate(SIGNS):
        logits = logits + worths[name] * signs[..., place]
    return np.asarray(expit(logits))


def _directions(models: Models, nums: Ints) -> Doubles:
    """``(n_nums, dim)`` unit ``f(v)``; in double precision, so that no last digit tells."""
    return to_unit(models.tower_vectors[nums]).astype(np.float64)


def _crowd(models: Models, nums: Ints, base: float) -> Doubles:
    """Log odds that each video is turned away, over those of all."""
    turned = models.popularity.turned_away[nums].astype(np.float64)
    liked = models.popularity.n_users[nums].astype(np.float64)
    odds = (turned + _DOUBT * base) / (liked + _DOUBT * (1 - base))
    return np.asarray(np.log(odds) - _logit(base))


def _of_users(histories: Histories, base: float) -> Doubles:
    """``(n_users,)`` log odds that a user turns a video away, over those of all."""
    users = histories.user_nums()
    turned = np.bincount(users[histories.weights < 0], minlength=histories.n_users)
    liked = np.bincount(users[histories.weights > 0], minlength=histories.n_users)
    odds = (turned + _USER_DOUBT * base) / (liked + _USER_DOUBT * (1 - base))
    return np.asarray(np.log(odds) - _logit(base))


def _logit(share: float) -> float:
    return float(np.log(share) - np.log1p(-share))

"""Prefixes: ``g(u)`` of many rows of which some begin alike, where a beginning is read once.

The tower is causal: a place has read itself and those before it, so rows that differ from one place
on share all states before it. A history without one video shares what was watched earlier; what was
watched later is read anew, or, for a guess, left as it is with the whole history.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from vidrec_tasks.recommending.models.layers import GatedLayer
from vidrec_tasks.recommending.models.sequences import PAD
from vidrec_tasks.recommending.models.tower import UserTower

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Keys = list[tuple[torch.Tensor, ...]]
"""Of each layer, keys and values ``(n_groups, n_heads, n_places, width)``."""

_TOGETHER = 32
"""Groups guessed together."""
_GROUPS = 64
"""Groups whose beginnings are held at once."""
_PLACES = 512
"""Places computed together: of more, what lies between leaves the processor's cache."""
_WIDTH = 8
"""Beginnings are read to a multiple of so many places."""
_FEW = 4
"""Own places of rows are made a multiple of so many: fewer different numbers, larger products."""


@torch.no_grad()
def embed_alike(tower: UserTower, rows: Ints, groups: Ints, videos: Floats) -> Floats:
    """What `tower.embed_rows` says, up to rounding.

    Args:
        tower: the trained tower.
        rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` where empty.
        groups: ``(n_rows,)`` rising: of one number those that may begin like the last of them. Any
            grouping is right; one whose rows begin alike is quick.
        videos: ``(n_videos, dim)`` as of `tower.embed_videos`.

    Returns:
        ``(n_rows, dim)`` float32.
    """
    tower.eval()
    read = torch.from_numpy(videos).to(tower.start.device)
    order = np.argsort(rows == PAD, axis=1, kind="stable")  # pads go behind, order stays
    left, n_read = np.take_along_axis(rows, order, axis=1), (rows != PAD).sum(axis=1)
    last = np.flatnonzero(np.diff(groups, append=groups.max(initial=0) + 1))  # (n_groups,)
    group = np.searchsorted(groups[last], groups)
    n_shared = _shared(left, n_read, last[group])
    vectors = np.zeros((len(rows), tower.shape.dim), dtype=np.float32)
    by_length = np.argsort(n_read[last], kind="stable")  # alike in length: little padding
    for first in range(0, len(by_length), _GROUPS):
        some = by_length[first : first + _GROUPS]
        place = np.full(len(last), -1)
        place[some] = np.arange(len(some))
        mine = np.flatnonzero(place[group] >= 0)
        most = np.zeros(len(some), dtype=np.int64)
        np.maximum.at(most, place[group[mine]], n_shared[mine])
        begun = _begin(tower, left[last[some]], most, read)
        for part in _alike_in_length(mine, n_read + 1 - n_shared, n_shared):
            places = n_shared[part, None] + np.arange(n_read[part[0]] + 1 - n_shared[part[0]])
            hidden = _inputs(tower, left[part], places, read)
            is_begun = np.arange(n_shared[part].max()) < n_shared[part, None]
            ends = _end(tower, hidden, is_begun, begun, place[group[part]])
            vectors[part] = ends.cpu().numpy()
    return vectors


@torch.no_grad()
def guess_without(
    tower: UserTower, wholes: Ints, groups: Ints, without: Ints, videos: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """About what `tower.embed_rows` says of histories without one video.

    The last video reads the history without the one that is left out; what the others read is left
    as it is. Of the videos whose absence lowers a score most, the first was among the first three
    by this guess in 97 of 100 lists of MovieTweetings.

    Args:
        tower: the trained tower.
        wholes: ``(n_groups, length)`` video_nums, oldest first, `PAD` where empty.
        groups: ``(n_rows,)`` the history of each row.
        without: ``(n_rows,)`` the video_num that is left out; -1: none.
        videos: ``(n_videos, dim)`` as of `tower.embed_videos`.

    Returns:
        ``(n_rows, dim)`` float32, and ``(n_rows,)`` where that is no guess: nothing is left out, or
        the newest video.
    """
    tower.eval()
    read = torch.from_numpy(videos).to(tower.start.device)
    order = np.argsort(wholes == PAD, axis=1, kind="stable")
    left, n_read = np.take_along_axis(wholes, order, axis=1), (wholes != PAD).sum(axis=1)
    vectors = np.zeros((len(groups), tower.shape.dim), dtype=np.float32)
    is_certain = without < 0
    widths = np.minimum(-(-n_read // _WIDTH) * _WIDTH, left.shape[1])
    is_asked = np.bincount(groups, minlength=len(wholes)) > 0
    for width in np.unique(widths[is_asked]):
        alike = np.flatnonzero(is_asked & (widths == width))
        for first in range(0, len(alike), _TOGETHER):
            some = alike[first : first + _TOGETHER]
            rows = np.flatnonzero(np.isin(groups, some))
            owners = np.searchsorted(some, groups[rows])
            own = left[groups[rows], :width]
            has = (own != without[rows, None]) & (own != PAD)
            ends = np.where(has, np.arange(1, width + 1), 0).max(axis=1, initial=0)
            vectors[rows] = _guess(tower, left[some, :width], own, has, ends, owners, read)
            # a full row without a video has an older one in its place
            is_certain[rows] |= (has.sum(axis=1) == ends) & (n_read[some][owners] < left.shape[1])
    return vectors, is_certain


def _guess(
    tower: UserTower,
    wholes: Ints,
    rows: Ints,
    has: npt.NDArray[np.bool_],
    ends: Ints,
    owners: Ints,
    videos: torch.Tensor,
) -> Floats:
    """The states at the ends of rows of a few groups, all left-aligned and of one width."""
    on = videos.device
    numbers = np.arange(len(owners)) - np.searchsorted(owners, owners)  # within a group
    slots = owners * (numbers.max() + 1) + numbers
    is_seen = np.zeros((len(wholes), numbers.max() + 1, wholes.shape[1] + 1), dtype=bool)
    # place 0 is the start, which all have; the end is read by itself
    places = np.concatenate([np.ones((len(rows), 1), dtype=bool), has], axis=1)
    is_seen[owners, numbers] = places & (np.arange(places.shape[1]) < ends[:, None])
    seen, slot = torch.from_numpy(is_seen).to(on), torch.from_numpy(slots).to(on)
    whole = tower.inputs(torch.from_numpy(wholes).to(on), videos)
    hidden = _inputs(tower, rows, ends[:, None], videos)
    layers = _layers(tower)
    for num, layer in enumerate(layers):
        hidden = layer.at_ends(hidden, layer.keys(whole), seen, slot)
        if num + 1 < len(layers):
            whole = layer(whole)
    out: torch.Tensor = tower.norm(hidden)
    return np.asarray(out[:, 0].cpu().numpy(), dtype=np.float32)


def _shared(left: Ints, n_read: Ints, bases: Ints) -> Ints:
    """``(n_rows,)`` how many places, the start among them, a row has in common with its base.

    The last place of a row is always its own: the state there is what is asked for. A few more are
    read again, so that many rows have the same number of their own.
    """
    is_other = left != left[bases]
    first = np.where(is_other.any(axis=1), is_other.argmax(axis=1), left.shape[1])
    n_own = np.maximum(n_read - first, 1)
    rounded = np.where(n_own > _FEW, -(-n_own // _FEW) * _FEW, n_own)
    return np.maximum(n_read + 1 - rounded, 0)


def _alike_in_length(mine: Ints, n_own: Ints, n_shared: Ints) -> Iterator[Ints]:
    """Yield rows of one number of own places and of about as many shared ones."""
    kinds = np.stack([n_own[mine], np.ceil(np.log2(n_shared[mine] + 1)).astype(np.int64)])
    order = np.lexsort(kinds[::-1])
    borders = np.flatnonzero(np.diff(kinds[:, order], axis=1).any(axis=0)) + 1
    for part in np.split(mine[order], borders):
        size = max(1, _PLACES // int(n_own[part[0]]))
        for first in range(0, len(part), size):
            yield part[first : first + size]


def _begin(tower: UserTower, rows: Ints, n_places: Ints, videos: torch.Tensor) -> Keys:
    """The keys and values of the first places of left-aligned rows; behind them anything."""
    layers, widest = _layers(tower), int(n_places.max())
    heads, width = layers[0].n_heads, tower.shape.dim // layers[0].n_heads
    shape = (len(rows), heads, widest, width)
    found = [tuple(videos.new_zeros(shape) for _ in range(2)) for _ in layers]
    widths = np.minimum(-(-n_places // _WIDTH) * _WIDTH, widest)
    for n in np.unique(widths[n_places > 0]):
        mine = torch.from_numpy(np.flatnonzero(widths == n))
        some = torch.from_numpy(rows[mine.numpy(), : n - 1]).to(videos.device)
        hidden = tower.inputs(some, videos)  # (n_mine, n, dim)
        for num, layer in enumerate(layers):
            for into, part in zip(found[num], layer.keys(hidden), strict=True):
                into[mine, :, :n] = part
            if num + 1 < len(layers):
                hidden = layer(hidden)
    return found


def _end(
    tower: UserTower,
    hidden: torch.Tensor,
    is_begun: npt.NDArray[np.bool_],
    begun: Keys,
    owners: Ints,
) -> torch.Tensor:
    """The last states of rows.

    Args:
        tower: the trained tower.
        hidden: ``(n_rows, n_own, dim)`` what the first layer reads at their own places.
        is_begun: ``(n_rows, n_begun)`` the places before those that each row has.
        begun: keys and values of these.
        owners: ``(n_rows,)`` whose.

    Returns:
        ``(n_rows, dim)``.
    """
    (n_rows, n_own, _), n_begun, on = hidden.shape, is_begun.shape[1], hidden.device
    own = torch.ones(n_own, n_own, dtype=torch.bool, device=on).tril()
    before = torch.from_numpy(is_begun)[:, None, None].to(on)
    parts = [before.expand(-1, -1, n_own, -1), own.expand(n_rows, 1, -1, -1)]
    is_seen = torch.cat(parts, dim=-1)  # (n_rows, 1, n_own, n_begun + n_own)
    owner = torch.from_numpy(owners).to(on)
    for num, (layer, pair) in enumerate(zip(_layers(tower), begun, strict=True)):
        key, value = (part[:, :, :n_begun][owner] for part in pair)
        hidden = layer.beside(hidden, (key, value), is_seen, last=num + 1 == len(begun))
    out: torch.Tensor = tower.norm(hidden)
    return out[:, -1]


def _inputs(tower: UserTower, rows: Ints, places: Ints, videos: torch.Tensor) -> torch.Tensor:
    """``(n_rows, n_own, dim)`` what the first layer reads at some places; 0 is the start."""
    on = videos.device
    numbers = torch.from_numpy(places).to(on)
    scale = tower.shape.dim**0.5  # as in `UserTower.inputs`
    if not rows.shape[1]:
        return tower.start * scale + tower.places.weight[numbers]
    nums = torch.from_numpy(np.take_along_axis(rows, np.maximum(places - 1, 0), axis=1)).to(on)
    read = functional.embedding(nums.clamp(min=0), videos)
    inputs = torch.where((numbers > 0)[..., None], read, tower.start)
    return inputs * scale + tower.places.weight[numbers]


def _layers(tower: UserTower) -> list[GatedLayer]:
    return [cast(GatedLayer, layer) for layer in tower.layers]

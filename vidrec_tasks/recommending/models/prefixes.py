"""Prefixes: ``g(u)`` of many rows of which some begin alike, where a beginning is read once.

The tower is causal: a place has read itself and those before it, so rows that differ from one place
on share all states before it. A history without one video shares what was watched earlier; what was
watched later is read anew. Leaves guessing what that would say to `guesses`.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from vidrec_tasks.audience.spans import spans
from vidrec_tasks.recommending.models.layers import GatedLayer
from vidrec_tasks.recommending.models.sequences import PAD
from vidrec_tasks.recommending.models.tower import UserTower

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_PLACES = 512
"""Places computed together: of more, what lies between leaves the processor's cache."""
_WIDTH = 8
"""Beginnings are read to a multiple of so many places."""


class Begun(NamedTuple):
    """What a tower has read of some rows, place by place; place 0 is the start.

    Attributes:
        left: ``(n_groups, length)`` the rows' video_nums, left-aligned, `PAD` behind.
        n_read: ``(n_groups,)`` videos of each, and places before its last one.
        starts: ``(n_groups,)`` where the places of each begin among all.
        keys: of each layer ``(n_places, 2 * dim)`` keys and values, as of `GatedLayer.keys`.
    """

    left: Ints
    n_read: Ints
    starts: Ints
    keys: list[torch.Tensor]

    def pair(
        self, layer: GatedLayer, num: int, groups: Ints, is_asked: Mask
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values that a layer reads of the first places of some groups.

        Args:
            layer: of the tower.
            num: of the layer.
            groups: ``(n,)``.
            is_asked: ``(n, n_first)`` the places that are there; at others anything stands.

        Returns:
            ``(n, n_heads, n_first, width)`` each.
        """
        places = self.starts[groups][:, None] + np.arange(is_asked.shape[1])
        asked = torch.from_numpy(np.where(is_asked, places, 0)).to(self.keys[num].device)
        return layer.split(functional.embedding(asked, self.keys[num]))


@torch.no_grad()
def begin(tower: UserTower, rows: Ints, videos: Floats) -> Begun:
    """Read all places of rows but the last, which no longer row shares.

    Args:
        tower: the trained tower.
        rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` where empty.
        videos: ``(n_videos, dim)`` as of `tower.embed_videos`.
    """
    tower.eval()
    read = torch.from_numpy(videos).to(tower.start.device)
    left, n_read = left_aligned(rows)
    starts = np.cumsum(n_read) - n_read
    layers = layers_of(tower)
    keys = [read.new_empty(int(n_read.sum()), 2 * tower.shape.dim) for _ in layers]
    widths = np.minimum(-(-n_read // _WIDTH) * _WIDTH, rows.shape[1])
    for width in np.unique(widths[widths > 0]):
        alike = np.flatnonzero(widths == width)
        size = max(1, _PLACES // int(width))
        for some in (alike[first : first + size] for first in range(0, len(alike), size)):
            hidden = tower.inputs(torch.from_numpy(left[some, : width - 1]).to(read.device), read)
            is_own = torch.from_numpy(np.arange(width) < n_read[some, None]).to(read.device)
            into = torch.from_numpy(spans(starts[some], n_read[some])).to(read.device)
            for num, layer in enumerate(layers):
                own = layer.keys(hidden)
                keys[num][into] = own[is_own]
                if num + 1 < len(layers):
                    hidden = layer.after(hidden, own)
    return Begun(left, n_read, starts, keys)


@torch.no_grad()
def embed_begun(tower: UserTower, begun: Begun, rows: Ints, groups: Ints, videos: Floats) -> Floats:
    """What `tower.embed_rows` says, up to rounding, reading what is not begun.

    Args:
        tower: the trained tower.
        begun: what was read.
        rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` where empty.
        groups: ``(n_rows,)`` the group of ``begun`` that each may begin like. Any group is right;
            one that a row begins like is quick.
        videos: ``(n_videos, dim)`` as of `tower.embed_videos`.

    Returns:
        ``(n_rows, dim)`` float32.
    """
    tower.eval()
    read = torch.from_numpy(videos).to(tower.start.device)
    left, n_read = left_aligned(rows)
    n_own = _rounded(n_read + 1 - _shared(begun, left, n_read, groups))
    n_before = np.maximum(n_read + 1 - n_own, 0)
    vectors = np.zeros((len(rows), tower.shape.dim), dtype=np.float32)
    for part in _alike_in_length(n_own, n_before):
        places = n_read[part, None] + 1 - n_own[part[0]] + np.arange(n_own[part[0]])
        hidden = inputs_at(tower, left[part], np.maximum(places, 0), read)
        ends = _end(tower, hidden, places >= 0, begun, groups[part], n_before[part])
        vectors[part] = ends.cpu().numpy()
    return vectors


def embed_alike(tower: UserTower, rows: Ints, groups: Ints, videos: Floats) -> Floats:
    """What `embed_begun` says of rows that begin like each other, where nothing is begun.

    Args:
        tower: the trained tower.
        rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` where empty.
        groups: ``(n_rows,)`` rising: of one number those that may begin like the last of them.
        videos: ``(n_videos, dim)`` as of `tower.embed_videos`.

    Returns:
        ``(n_rows, dim)`` float32.
    """
    last = np.flatnonzero(np.diff(groups, append=groups.max(initial=0) + 1))  # (n_groups,)
    begun = begin(tower, rows[last], videos)
    return embed_begun(tower, begun, rows, np.searchsorted(groups[last], groups), videos)


def left_aligned(rows: Ints) -> tuple[Ints, Ints]:
    """``(n_rows, length)`` rows with `PAD` behind, and ``(n_rows,)`` the videos of each."""
    order = np.argsort(rows == PAD, axis=1, kind="stable")  # pads go behind, order stays
    return np.take_along_axis(rows, order, axis=1), (rows != PAD).sum(axis=1)


def inputs_at(tower: UserTower, rows: Ints, places: Ints, videos: torch.Tensor) -> torch.Tensor:
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


def layers_of(tower: UserTower) -> list[GatedLayer]:
    """The layers, first to last."""
    return [cast(GatedLayer, layer) for layer in tower.layers]


def _shared(begun: Begun, left: Ints, n_read: Ints, groups: Ints) -> Ints:
    """``(n_rows,)`` how many places, the start among them, a row has in common with its group.

    The last place of a row is always its own: the state there is what is asked for.
    """
    is_other = left != begun.left[groups]
    first = np.where(is_other.any(axis=1), is_other.argmax(axis=1), left.shape[1])
    return np.minimum(np.minimum(first + 1, n_read), begun.n_read[groups])


def _rounded(n_own: Ints) -> Ints:
    """``(n_rows,)`` own places as powers of two from 2 on: few numbers make large products."""
    return 1 << np.maximum(np.frexp(n_own - 1)[1].astype(np.int64), 1)


def _alike_in_length(n_own: Ints, n_before: Ints) -> Iterator[Ints]:
    """Yield rows of one number of own places and of about as many before these."""
    kinds = np.stack([n_own, (np.frexp(n_before)[1].astype(np.int64) + 1) // 2])  # up to times 4
    order = np.lexsort((n_before, *kinds[::-1]))
    borders = np.flatnonzero(np.diff(kinds[:, order], axis=1).any(axis=0)) + 1
    for part in np.split(order, borders) if len(order) else ():
        size = max(1, _PLACES // int(n_own[part[0]]))
        for first in range(0, len(part), size):
            yield part[first : first + size]


def _end(
    tower: UserTower,
    hidden: torch.Tensor,
    is_own: Mask,
    begun: Begun,
    groups: Ints,
    n_before: Ints,
) -> torch.Tensor:
    """The last states of rows.

    Args:
        tower: the trained tower.
        hidden: ``(n_rows, n_own, dim)`` what the first layer reads at their own places.
        is_own: ``(n_rows, n_own)`` the places that are there, the last among them.
        begun: what was read.
        groups: ``(n_rows,)`` of it.
        n_before: ``(n_rows,)`` places of its group that each row has.

    Returns:
        ``(n_rows, dim)``.
    """
    (n_rows, n_own, _), on = hidden.shape, hidden.device
    is_begun = np.arange(n_before.max()) < n_before[:, None]
    # a place that is not there reads itself, as a softmax over nothing is none
    own = np.tri(n_own, dtype=bool) & is_own[:, None] | np.eye(n_own, dtype=bool)
    before = np.broadcast_to(is_begun[:, None], (n_rows, n_own, is_begun.shape[1]))
    is_seen = torch.from_numpy(np.concatenate([before, own], axis=2)[:, None]).to(on)
    layers = layers_of(tower)
    for num, layer in enumerate(layers):
        pair = begun.pair(layer, num, groups, is_begun)
        hidden = layer.beside(hidden, pair, is_seen, last=num + 1 == len(layers))
    out: torch.Tensor = tower.norm(hidden)
    return out[:, -1]

"""User tower: a causal transformer over what a user liked; ``s(u, v) = f(v) . g(u)``.

After SASRec (Kang and McAuley, 2018) trained with a full softmax (Klenitskiy and Vasilev, 2023),
with the gated layers of eSASRec (`layers`).
A video is ``f(v) = id embedding + projection of its content``, so one that nobody has watched still
has an ``f(v)``; dropping ids while training keeps the projection useful on its own.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.recommending.models.layers import GatedLayer
from vidrec_tasks.recommending.models.sequences import PAD, last_videos

_IDS = "ids.weight"
_ROWS = 32
_WIDTH = 8
"""Rows are cut to the next multiple of so many videos: histories are mostly short."""


@dataclass(frozen=True)
class TowerShape:
    """The sizes of a tower.

    Attributes:
        dim: width of ``f(v)`` and ``g(u)``.
        length: liked videos read.
        n_layers: transformer layers.
        n_heads: attention heads.
        dropout: share of activations dropped while training.
        id_dropout: share of videos whose id embedding is dropped while training.
    """

    dim: int = 64
    length: int = 50
    n_layers: int = 2
    n_heads: int = 2
    dropout: float = 0.2
    id_dropout: float = 0.2


class UserTower(nn.Module):
    """Item and user vectors of one space.

    Args:
        content: ``(n_videos, content_dim)`` fused embeddings, kept as a constant.
        is_known: ``(n_videos,)`` whether a video occurs in training; an unknown one has no id part.
        shape: sizes.
    """

    content: torch.Tensor
    is_known: torch.Tensor

    def __init__(self, content: torch.Tensor, is_known: torch.Tensor, shape: TowerShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("content", content, persistent=False)
        self.register_buffer("is_known", is_known)
        self.ids = nn.Embedding(len(content), shape.dim)
        self.projection = nn.Linear(content.shape[1], shape.dim, bias=False)
        self.places = nn.Embedding(shape.length + 1, shape.dim)
        self.start = nn.Parameter(torch.zeros(shape.dim))
        self.layers = nn.ModuleList(
            GatedLayer(shape.dim, shape.n_heads, shape.dropout) for _ in range(shape.n_layers)
        )
        self.norm = nn.LayerNorm(shape.dim)
        self.dropout = nn.Dropout(shape.dropout)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.ids.weight, std=0.02 * (64 / self.shape.dim) ** 0.5)
        nn.init.normal_(self.places.weight, std=0.02)
        # Content rows have length 1: this gives the projected row the length of an id embedding.
        nn.init.normal_(self.projection.weight, std=0.02)

    def videos(self) -> torch.Tensor:
        """``(n_videos, dim)`` all ``f(v)``; while training, some without their id part."""
        return self._made(self.ids.weight, self.is_known, self.content)

    def some_videos(self, nums: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """What `videos` says of some videos: the work of a step is of these and not of all.

        Args:
            nums: ``(n,)`` video_nums.
            ids: ``(n, dim)`` their id embeddings.
        """
        return self._made(ids, self.is_known[nums], self.content[nums])

    def _made(
        self, ids: torch.Tensor, is_known: torch.Tensor, content: torch.Tensor
    ) -> torch.Tensor:
        ids = ids * is_known[:, None]
        if self.training and self.shape.id_dropout:
            kept = torch.rand(len(ids), 1, device=ids.device) >= self.shape.id_dropout
            ids = ids * kept
        projected: torch.Tensor = self.projection(content)
        return ids + projected

    def states(self, rows: torch.Tensor, videos: torch.Tensor) -> torch.Tensor:
        """The state before each event of left-aligned rows, and after the last one.

        Args:
            rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` behind.
            videos: ``(n_videos, dim)`` from `videos`.

        Returns:
            ``(n_rows, length + 1, dim)``; place ``i`` has read the first ``i`` videos.
        """
        hidden = self.dropout(self.inputs(rows, videos))
        for layer in self.layers:
            hidden = layer(hidden)
        out: torch.Tensor = self.norm(hidden)
        return out  # (n_rows, length + 1, dim)

    def last_states(
        self, rows: torch.Tensor, n_read: torch.Tensor, videos: torch.Tensor
    ) -> torch.Tensor:
        """``(n_rows, dim)`` the state after the last video of each row; nothing is dropped.

        Args:
            rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` behind.
            n_read: ``(n_rows,)`` videos of each row.
            videos: ``(n_videos, dim)`` from `videos`.
        """
        hidden = self.inputs(rows, videos)
        layers = [cast(GatedLayer, layer) for layer in self.layers]
        for layer in layers[:-1]:
            hidden = layer(hidden)
        last: torch.Tensor = self.norm(layers[-1].end(hidden, n_read))
        return last[:, 0]

    def inputs(self, rows: torch.Tensor, videos: torch.Tensor) -> torch.Tensor:
        """``(n_rows, length + 1, dim)`` what the first layer reads; arguments as of `states`."""
        n_rows, length = rows.shape
        # not videos[rows]: its gradient is summed by several threads at once, in any order, and
        # two nights on the same events then differ in the seventh digit
        read = functional.embedding(rows.clamp(min=0), videos)  # (n_rows, length, dim)
        start = self.start.expand(n_rows, 1, -1)
        # sqrt(dim): as in SASRec, so that a place does not drown a video.
        inputs = torch.cat([start, read], dim=1) * self.shape.dim**0.5
        return inputs + self.places.weight[: length + 1]


def tower_parts(tower: UserTower) -> dict[str, npt.NDArray[np.float32] | bytes]:
    """The weights of a tower for the store: the id embeddings as an array, so that it is mapped."""
    weights = contiguous(tower)
    ids = weights.pop(_IDS).cpu().numpy()
    return {"tower": save(weights), "tower_ids": ids}


def tower_weights(parts: Parts) -> dict[str, torch.Tensor]:
    """The weights that `tower_parts` was given; those of version 0.1 hold the id embeddings too."""
    weights = load(parts.binary("tower"))
    if _IDS not in weights:
        weights[_IDS] = torch.from_numpy(parts.array("tower_ids"))
    return weights


def contiguous(module: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of a module by name, each in one piece, as safetensors wants them."""
    return {name: tensor.contiguous() for name, tensor in module.state_dict().items()}


@torch.no_grad()
def embed_videos(tower: UserTower) -> npt.NDArray[np.float32]:
    """``(n_videos, dim)`` every ``f(v)``."""
    tower.eval()
    return np.asarray(tower.videos().cpu().numpy(), dtype=np.float32)


@torch.no_grad()
def embed_rows(
    tower: UserTower,
    rows: npt.NDArray[np.int64],
    videos: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """``g(u)`` of right- or left-padded rows of video_nums.

    Args:
        tower: the trained tower.
        rows: ``(n_rows, length)`` video_nums, oldest first, `PAD` where empty.
        videos: ``(n_videos, dim)`` what `embed_videos` gave, where it is at hand.

    Returns:
        ``(n_rows, dim)`` float32, the state after the last video of each row.
    """
    tower.eval()
    read = tower.videos() if videos is None else torch.from_numpy(videos).to(tower.start.device)
    vectors = np.zeros((len(rows), tower.shape.dim), dtype=np.float32)
    order = np.argsort(rows == PAD, axis=1, kind="stable")  # pads go behind, order stays
    left = np.take_along_axis(rows, order, axis=1)
    n_read = (rows != PAD).sum(axis=1)
    # Nothing behind the last video is looked at, so short rows go without it.
    widths = np.minimum(-(-n_read // _WIDTH) * _WIDTH, rows.shape[1])
    for width in np.unique(widths):
        mine = np.flatnonzero(widths == width)
        for first in range(0, len(mine), _ROWS):
            some = mine[first : first + _ROWS]
            block = torch.from_numpy(left[some, :width]).to(read.device)
            ends = torch.from_numpy(n_read[some]).to(read.device)
            vectors[some] = tower.last_states(block, ends, read).cpu().numpy()
    return vectors


def embed_users(
    tower: UserTower, histories: Histories, videos: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """``(n_users, dim)`` every ``g(u)``, also of users without history (the state at the start).

    Args:
        tower: the trained tower.
        histories: of the users.
        videos: ``(n_videos, dim)`` what `embed_videos` gave, where it is at hand.
    """
    return embed_rows(tower, last_videos(histories, tower.shape.length), videos)

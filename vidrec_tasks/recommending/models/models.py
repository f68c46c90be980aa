"""Models: everything one fit learned, as one value that can be kept and read back.

Leaves learning to `fitting`, the numbers a list is ordered by to `features` and `ranker`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import torch
from safetensors.torch import load, save

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import ModelError
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.catalogue.popularity import Popularity
from vidrec_tasks.recommending.models.attention import TargetAttention
from vidrec_tasks.recommending.models.item_models import from_stack, to_stack
from vidrec_tasks.recommending.models.sparse import SparseModel
from vidrec_tasks.recommending.models.tower import (
    TowerShape,
    UserTower,
    contiguous,
    embed_users,
    embed_videos,
    tower_parts,
    tower_weights,
)

Part = npt.NDArray[Any] | bytes | dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """What a fit chose on its held-out events; a later fit may be given it instead of choosing.

    Attributes:
        tower_epochs, attention_epochs: passes that were best.
        n_held_out: users whose last liked video it was chosen on.
        learned: scorer -> what that scorer learned, as it writes and reads it itself; beside them
            what is turned away, and which features are left out.
        measured: held-out NDCG@10 by scorer, and the training's gap, for the metrics.
        scorer: the score that orders the lists.
        knows_time: whether the tower was trained beside what everybody watched at the time of each
            event (`catalogue.lately`), which is then added to ``f(v).g(u)``.
        is_warm: whether the tower started from an earlier one; its passes count from there.
        nights_since_compared: nights since a cold and a warm start were last compared; None: never.
    """

    tower_epochs: int
    attention_epochs: int
    n_held_out: int
    learned: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    scorer: str = "blend"
    knows_time: bool = False
    is_warm: bool = False
    nights_since_compared: int | None = None

    def trains_like(self, other: "Configuration") -> bool:
        """Whether both give the same weights on the same events."""
        mine, its = (
            (chosen.tower_epochs, chosen.attention_epochs, chosen.is_warm, chosen.knows_time)
            for chosen in (self, other)
        )
        return mine == its

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return {
            "tower_epochs": self.tower_epochs,
            "attention_epochs": self.attention_epochs,
            "n_held_out": self.n_held_out,
            "learned": dict(self.learned),
            "measured": dict(self.measured),
            "scorer": self.scorer,
            "is_warm": self.is_warm,
            "knows_time": self.knows_time,
            "nights_since_compared": self.nights_since_compared,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "Configuration":
        """What `to_json` wrote; what another version wrote beside it is left out."""
        return cls(**{name: value for name, value in written.items() if name in _FIELDS})


_FIELDS: Final = frozenset(Configuration.__dataclass_fields__)


@dataclass(frozen=True)
class Models:
    """The models of one fit.

    Attributes:
        content: the videos, row by row; every other row number below is a ``video_num`` of it.
        tower: the user tower, ``f(v)`` and ``g(u)``.
        attention: the target attention over ``f(v)``.
        items: item-item model -> its matrix, for each of `item_models.ITEM_MODELS`.
        lent: which known videos a hardly known one takes from (`lending`).
        popularity: what everybody does, before the cut.
        configuration: what was chosen.
        cut: seconds since 1970 UTC; nothing at or after it was learned from.
        half_life_days: decay of interactions in the content profile.
        kept: `video_vectors` where they were made before; they are made when asked for otherwise.
    """

    content: Content
    tower: UserTower
    attention: TargetAttention
    items: Mapping[str, SparseModel]
    lent: SparseModel
    popularity: Popularity
    configuration: Configuration
    cut: int
    half_life_days: float
    kept: npt.NDArray[np.float32] | None = None

    @cached_property
    def tower_vectors(self) -> npt.NDArray[np.float32]:
        """``(n_videos, dim)`` every ``f(v)`` as the tower has it."""
        return embed_videos(self.tower) if self.kept is None else self.kept[:, :-1]

    @cached_property
    def lately(self) -> npt.NDArray[np.float32]:
        """``(n_videos,)`` what is added to ``f(v).g(u)``: 0 where the tower knows no time."""
        lately = self.popularity.lately
        return lately if self.configuration.knows_time else np.zeros_like(lately)

    @cached_property
    def video_vectors(self) -> npt.NDArray[np.float32]:
        """``(n_videos, dim + 1)`` every ``f(v)``, and what everybody watches lately."""
        if self.kept is not None:
            return self.kept
        return np.concatenate([self.tower_vectors, self.lately[:, None]], axis=1)

    def user_vectors(self, histories: Histories) -> npt.NDArray[np.float32]:
        """``(n_users, dim + 1)`` every ``g(u)``, and a 1 for what everybody watches lately."""
        return with_one(embed_users(self.tower, histories, self.tower_vectors))

    def to_parts(self) -> dict[str, Part]:
        """The models as arrays, bytes and JSON, for the store."""
        shape = self.tower.shape
        info = {
            "tower": {name: getattr(shape, name) for name in TowerShape.__dataclass_fields__},
            "n_heads": self.attention.n_heads,
            "configuration": self.configuration.to_json(),
            "cut": self.cut,
            "half_life_days": self.half_life_days,
            "n_videos": self.content.n_videos,
            "items": list(self.items),
            "has_lent_by_column": True,  # an older fit has not
        }
        popularity = {
            f"popularity_{name}": getattr(self.popularity, name)
            for name in Popularity.__dataclass_fields__
        }
        return {
            "info": info,
            **tower_parts(self.tower),
            "attention": save(contiguous(self.attention)),
            **_sparse_parts("items", to_stack(self.items)),
            **_sparse_parts("lent", self.lent.matrix),
            **_sparse_parts("lent_by_column", self.lent.by_column),
            **popularity,
        }

    @classmethod
    def from_parts(
        cls, parts: Parts, content: Content, kept: npt.NDArray[np.float32] | None = None
    ) -> "Models":
        """The models that `to_parts` wrote.

        Args:
            parts: of the artefact.
            content: the videos they were fitted on.
            kept: ``(n_videos, dim + 1)`` their `video_vectors`, where these were kept too.

        Raises:
            ModelError: they were fitted on another catalogue, or by another version.
        """
        info: dict[str, Any] = parts.json("info")
        if info["n_videos"] != content.n_videos:
            message = (
                f"models: fitted on {info['n_videos']:,} videos, the content has "
                f"{content.n_videos:,}; train them again"
            )
            raise ModelError(message)
        tower_shape = TowerShape(**info["tower"])
        with torch.device("meta"):  # the weights come from the store: none are drawn before
            tower = make_tower(content, np.zeros(content.n_videos, dtype=bool), tower_shape)
            attention = TargetAttention(tower_shape.dim, n_heads=info["n_heads"])
        _put_weights(tower, tower_weights(parts), "tower")
        _put_weights(attention, load(parts.binary("attention")), "attention")
        return cls(
            content,
            tower.eval(),
            attention.eval(),
            from_stack(_sparse_matrix("items", parts, content.n_videos), info["items"]),
            _lent(parts, content.n_videos, by_column=info.get("has_lent_by_column", False)),
            _popularity(parts),
            Configuration.from_json(info["configuration"]),
            int(info["cut"]),
            float(info["half_life_days"]),
            kept,
        )


def _put_weights(module: torch.nn.Module, weights: Mapping[str, torch.Tensor], name: str) -> None:
    try:
        module.load_state_dict(weights, assign=True)
    except RuntimeError as error:
        message = f"models: the weights of the {name} are of another version; train them again"
        raise ModelError(message) from error


def with_one(users: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """``(n_users, dim + 1)`` from ``g(u)`` as the tower has it."""
    return np.concatenate([users, np.ones((len(users), 1), np.float32)], axis=1)


def make_tower(content: Content, is_known: npt.NDArray[np.bool_], shape: TowerShape) -> UserTower:
    """An untrained tower over a catalogue.

    Args:
        content: the videos.
        is_known: ``(n_videos,)`` whether a video occurs in training.
        shape: sizes.
    """
    fused = torch.from_numpy(content.fused)
    return UserTower(fused, torch.from_numpy(is_known).float(), shape)


def _popularity(parts: Parts) -> Popularity:
    n_users, popular, trending, age_days, counts, lately, turned_away = (
        parts.array(f"popularity_{name}")
        for name in (
            "n_users", "popular", "trending", "age_days", "counts", "lately", "turned_away",
        )
    )  # fmt: skip
    first_at, last_at = (parts.integers(f"popularity_{name}") for name in ("first_at", "last_at"))
    return Popularity(
        n_users, popular, trending, age_days, counts, first_at, last_at, lately, turned_away
    )


def _sparse_parts(name: str, matrix: sp.csr_matrix | sp.csc_matrix) -> dict[str, Part]:
    matrix.sort_indices()
    return {
        f"{name}_data": matrix.data.astype(np.float32),
        f"{name}_indices": matrix.indices.astype(np.int64),
        f"{name}_indptr": matrix.indptr.astype(np.int64),
    }


def _lent(parts: Parts, n_videos: int, *, by_column: bool) -> SparseModel:
    matrix = _sparse_matrix("lent", parts, n_videos)
    if not by_column:
        return SparseModel(matrix)

    def columns() -> sp.csc_matrix:
        return sp.csc_matrix(_sparse_arrays("lent_by_column", parts), shape=matrix.shape)

    return SparseModel(matrix, columns)


def _sparse_matrix(name: str, parts: Parts, n_videos: int) -> sp.csr_matrix:
    arrays = _sparse_arrays(name, parts)
    return sp.csr_matrix(arrays, shape=(len(arrays[2]) - 1, n_videos))


def _sparse_arrays(name: str, parts: Parts) -> tuple[npt.NDArray[Any], ...]:
    """Entries, indices and borders, the latter two in four bytes where these hold them."""
    data = parts.array(f"{name}_data")
    indices, borders = (parts.integers(f"{name}_{part}") for part in ("indices", "indptr"))
    largest = max(len(data), int(indices.max(initial=0)))
    kind = np.int32 if largest <= np.iinfo(np.int32).max else np.int64
    narrow = data, indices.astype(kind), borders.astype(kind)
    release_pages(indices)  # of the file: 0.15 GiB of what a million videos are lent
    return narrow

"""Warmth: whether a tower starts from the last night's weights, and how it takes them over.

A start from old weights is cheap and may be worse, so now and then both starts are trained and
measured on the same held-out events; the nights between follow what was found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.models.models import Configuration
from vidrec_tasks.recommending.models.tower import TowerShape, UserTower, tower_weights

Start = Literal["cold", "warm", "both"]

COMPARED_EVERY: Final = 7
"""Nights after which both starts are trained and compared again."""


@dataclass(frozen=True)
class Parent:
    """An earlier fit whose tower may be started from.

    Attributes:
        video_ids: ``(n_videos,)`` str, the rows of its id embeddings.
        state: its weights, as the tower names them.
        shape: its sizes.
        configuration: what it had chosen or was told.
        cut: seconds since 1970 UTC; it knows nothing from then on.
    """

    video_ids: npt.NDArray[np.object_]
    state: Mapping[str, torch.Tensor]
    shape: TowerShape
    configuration: Configuration
    cut: int

    @classmethod
    def from_parts(cls, parts: Parts, video_ids: npt.NDArray[np.object_]) -> "Parent":
        """The tower of models that `Models.to_parts` wrote.

        Args:
            parts: of the artefact.
            video_ids: ``(n_videos,)`` the videos they were fitted on.
        """
        info: dict[str, Any] = parts.json("info")
        return cls(
            video_ids,
            tower_weights(parts),
            TowerShape(**info["tower"]),
            Configuration.from_json(info["configuration"]),
            int(info["cut"]),
        )


def choose_start(parent: Parent | None, shape: TowerShape, *, cut: int) -> Start:
    """How a fit starts.

    Args:
        parent: the last night's fit of the same kind; None: there is none.
        shape: tonight's sizes; a tower of others, or of other layers, cannot be taken over.
        cut: tonight's; a parent that saw as much or more is no start.
    """
    if parent is None or parent.shape != shape or parent.cut >= cut or not _has_layers(parent):
        return "cold"
    before = parent.configuration
    if before.nights_since_compared is None or before.nights_since_compared + 1 >= COMPARED_EVERY:
        return "both"
    return "warm" if before.is_warm else "cold"


def _has_layers(parent: Parent) -> bool:
    """Whether its weights are named as those of a tower of today."""
    content = torch.zeros(1, parent.state["projection.weight"].shape[1])
    return set(UserTower(content, torch.zeros(1), parent.shape).state_dict()) == set(parent.state)


def take_over(tower: UserTower, content: Content, parent: Parent) -> None:
    """Give a new tower an older one's weights; videos it did not know keep their fresh ids.

    Args:
        tower: changed in place.
        content: tonight's videos, the rows of the new tower.
        parent: of the same shape.
    """
    with torch.no_grad():
        own = tower.state_dict()
        rows = pd.Index(parent.video_ids).get_indexer(pd.Index(content.video_ids))
        known = torch.from_numpy(np.flatnonzero(rows >= 0))
        old_ids = parent.state["ids.weight"].to(own["ids.weight"].device)
        own["ids.weight"][known] = old_ids[torch.from_numpy(rows[rows >= 0])]
        for name, old in parent.state.items():
            if name not in ("ids.weight", "is_known"):
                own[name].copy_(old)

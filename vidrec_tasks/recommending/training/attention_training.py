"""Attention training: the target attention learns which of the history speaks for what came next.

The tower's ``f(v)`` and ``g(u)`` are kept as they are; each next video competes with a sample of
others, half drawn by popularity and half the tower's own best guesses.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.attention import TargetAttention
from vidrec_tasks.recommending.models.sequences import PAD, liked
from vidrec_tasks.recommending.models.tower import UserTower, embed_rows

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

_N_NEGATIVES = 64
"""Of each of the two kinds."""
_N_EXAMPLES = 8_000
"""Examples an epoch at most, drawn anew each time."""
_BATCH = 64


@dataclass(frozen=True)
class AttentionSchedule:
    """How long the attention is trained.

    Attributes:
        max_epochs: passes at most; the best measured one is kept.
        patience: passes without improvement before it stops; 0 never stops early.
        learning_rate: of AdamW.
        seed: of order, dropout and samples.
    """

    max_epochs: int = 8
    patience: int = 2
    learning_rate: float = 1e-3
    seed: int = 7


@dataclass(frozen=True)
class _Examples:
    """``(n, length)`` histories newest last, ``(n,)`` the video that came next."""

    rows: Ints
    targets: Ints


def train_attention(
    model: TargetAttention,
    tower: UserTower,
    histories: Histories,
    schedule: AttentionSchedule,
    *,
    measure: Callable[[TargetAttention], float] | None = None,
) -> int:
    """Train the attention in place over a trained tower.

    Args:
        model: changed in place.
        tower: trained; not changed.
        histories: what the tower learned from.
        schedule: how long.
        measure: a held-out score (higher is better), asked after each pass.

    Returns:
        The pass whose weights were kept.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        rng = np.random.default_rng(schedule.seed)
        trainer = _Trainer(model, tower, histories, schedule, rng)
        scores: list[float] = []
        best, best_epoch = _weights(model), 0
        for epoch in range(1, schedule.max_epochs + 1):
            trainer.run()
            if measure is None:
                continue
            scores.append(measure(model))
            if scores[-1] > max(scores[:-1], default=-1.0):
                best, best_epoch = _weights(model), epoch
            elif schedule.patience and epoch - best_epoch >= schedule.patience:
                break
    if measure is not None:
        model.load_state_dict(best)
    model.eval()
    log.info("attention: %d of %d epochs", best_epoch or schedule.max_epochs, schedule.max_epochs)
    return best_epoch or schedule.max_epochs


class _Trainer:
    """Draws examples and negatives, and steps."""

    def __init__(
        self,
        model: TargetAttention,
        tower: UserTower,
        histories: Histories,
        schedule: AttentionSchedule,
        rng: np.random.Generator,
    ) -> None:
        self.model, self.tower, self.rng = model, tower, rng
        self.histories = liked(histories)
        tower.eval()
        with torch.no_grad():
            self.videos = tower.videos()  # (n_videos, dim)
        counts = np.bincount(self.histories.video_nums, minlength=len(self.videos)) ** 0.75
        self.popularity = counts / counts.sum() if counts.sum() else None
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.learning_rate)

    def run(self) -> None:
        """One pass over freshly drawn examples."""
        examples = self._draw()
        if not len(examples.targets) or self.popularity is None:
            return
        users = embed_rows(self.tower, examples.rows)
        self.model.train()
        for first in range(0, len(examples.targets), _BATCH):
            part = slice(first, first + _BATCH)
            self._step(examples.rows[part], examples.targets[part], users[part])

    def _step(self, rows: Ints, targets: Ints, users: npt.NDArray[np.float32]) -> None:
        asked = self._asked(targets, users)  # (n, 1 + 2 * _N_NEGATIVES), the target first
        history = self.videos[torch.from_numpy(np.maximum(rows, 0))]
        parts = self.model.parts(
            torch.from_numpy(users),
            history,
            torch.from_numpy(rows != PAD),
            self.videos[torch.from_numpy(asked)],
        )
        scores = parts.sum(dim=-1)
        again = torch.from_numpy(asked[:, 1:] == targets[:, None])
        scores = torch.cat([scores[:, :1], scores[:, 1:].masked_fill(again, -1e9)], dim=1)
        loss = functional.cross_entropy(scores, torch.zeros(len(rows), dtype=torch.long))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()

    def _asked(self, targets: Ints, users: npt.NDArray[np.float32]) -> Ints:
        n_videos = len(self.videos)
        drawn = self.rng.choice(n_videos, (len(targets), _N_NEGATIVES), p=self.popularity)
        guesses = torch.from_numpy(users) @ self.videos.T
        hard = guesses.topk(min(_N_NEGATIVES, n_videos), dim=1).indices.numpy()
        return np.concatenate([targets[:, None], drawn, hard], axis=1)

    def _draw(self) -> _Examples:
        """Events that have at least one before them, with what came before."""
        events = self.histories
        starts = events.offsets[:-1][events.user_nums()]
        later = np.flatnonzero(np.arange(events.n_events) > starts)
        chosen = np.sort(self.rng.permutation(later)[:_N_EXAMPLES])
        chosen = self.rng.permutation(chosen)
        length = self.tower.shape.length
        places = chosen[:, None] - np.arange(length, 0, -1)[None, :]  # (n, length), newest last
        before = events.video_nums[np.maximum(places, 0)]  # what lies before all is padded below
        rows = np.where(places >= starts[chosen][:, None], before, PAD)
        return _Examples(rows.astype(np.int64), events.video_nums[chosen])


def _weights(model: TargetAttention) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}

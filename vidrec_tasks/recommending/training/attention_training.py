"""Attention training: the target attention learns which of the history speaks for what came next.

The tower's ``f(v)`` and ``g(u)`` are kept as they are. Each next video competes with a sample of
others, whose chance to be drawn is corrected, so that what is learned is added to the tower's own
logits.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.catalogue.lately import Steps
from vidrec_tasks.recommending.models.attention import N_ASKED, TargetAttention
from vidrec_tasks.recommending.models.seconds import taking
from vidrec_tasks.recommending.models.sequences import PAD, liked
from vidrec_tasks.recommending.models.tower import UserTower, embed_rows
from vidrec_tasks.recommending.training.negatives import Negatives

log = logging.getLogger(__name__)

Ints = npt.NDArray[np.int64]

_N_NEGATIVES = 256
"""Drawn for a batch, by popularity; what that favours is corrected."""
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

    max_epochs: int = 6
    patience: int = 2
    learning_rate: float = 1e-3
    seed: int = 7


@dataclass(frozen=True)
class _Examples:
    """``(n, length)`` histories newest last, ``(n,)`` the video that came next, and when."""

    rows: Ints
    targets: Ints
    event_at: Ints

    def of(self, part: slice) -> "_Examples":
        """Some of them."""
        return _Examples(self.rows[part], self.targets[part], self.event_at[part])


@taking("attention")
def train_attention(
    model: TargetAttention,
    tower: UserTower,
    histories: Histories,
    schedule: AttentionSchedule,
    *,
    measure: Callable[[TargetAttention], float] | None = None,
    knows_time: bool = False,
) -> int:
    """Train the attention in place over a trained tower.

    Args:
        model: changed in place.
        tower: trained; not changed.
        histories: what the tower learned from.
        schedule: how long.
        measure: a held-out score (higher is better), asked before the first pass and after each.
        knows_time: whether the tower was trained beside what everybody watched at the time of each
            event.

    Returns:
        The pass whose weights were kept; 0 where none was better than the tower alone.
    """
    if not schedule.max_epochs:
        model.eval()
        return 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        rng = np.random.default_rng(schedule.seed)
        trainer = _Trainer(model, tower, histories, schedule, rng, knows_time=knows_time)
        best, best_epoch = _weights(model), 0
        best_score = -1.0 if measure is None else measure(model)
        for epoch in range(1, schedule.max_epochs + 1):
            trainer.run()
            if measure is None:
                continue
            score = measure(model)
            if score > best_score:
                best, best_epoch, best_score = _weights(model), epoch, score
            elif schedule.patience and epoch - best_epoch >= schedule.patience:
                break
    if measure is not None:
        model.load_state_dict(best)
    model.eval()
    kept = schedule.max_epochs if measure is None else best_epoch
    log.info("attention: %d of %d epochs", kept, schedule.max_epochs)
    return kept


class _Trainer:
    """Draws examples and negatives, and steps."""

    def __init__(
        self,
        model: TargetAttention,
        tower: UserTower,
        histories: Histories,
        schedule: AttentionSchedule,
        rng: np.random.Generator,
        *,
        knows_time: bool,
    ) -> None:
        self.model, self.tower, self.rng = model, tower, rng
        self.histories = liked(histories)
        tower.eval()
        with torch.no_grad():
            self.videos = tower.videos()  # (n_videos, dim)
        self.negatives = Negatives.of(self.histories, len(self.videos), _N_NEGATIVES)
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.learning_rate)
        self.steps = Steps.of(self.histories, len(self.videos)) if knows_time else None

    def run(self) -> None:
        """One pass over freshly drawn examples."""
        examples = self._draw()
        if not len(examples.targets):
            return
        users = embed_rows(self.tower, examples.rows)
        self.model.train()
        for first in range(0, len(examples.targets), _BATCH):
            part = slice(first, first + _BATCH)
            self._step(examples.of(part), users[part])

    def _step(self, examples: "_Examples", users: npt.NDArray[np.float32]) -> None:
        nums, log_chance, targets = self.negatives.draw(examples.targets, self.rng)
        rows = examples.rows[:, -N_ASKED:]
        asked = self.videos[torch.from_numpy(nums)]  # (n_nums, dim)
        parts = self.model.parts(
            self.videos[torch.from_numpy(np.maximum(rows, 0))],
            torch.from_numpy(rows != PAD),
            asked.expand(len(rows), -1, -1),
        )
        scores = torch.from_numpy(users) @ asked.T + parts.sum(dim=-1)
        if self.steps is not None:
            steps = self.steps.numbers(examples.event_at)
            scores = scores + torch.from_numpy(self.steps.shares[steps[:, None], nums])
        loss = functional.cross_entropy(
            scores - torch.from_numpy(log_chance), torch.from_numpy(targets)
        )
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()

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
        return _Examples(rows.astype(np.int64), events.video_nums[chosen], events.event_at[chosen])


def _weights(model: TargetAttention) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}

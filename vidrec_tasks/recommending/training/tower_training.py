"""Tower training: next-video prediction with a softmax, full or (large catalogues) sampled."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.hardware import device
from vidrec_tasks.recommending.catalogue.lately import Steps
from vidrec_tasks.recommending.models.seconds import taking
from vidrec_tasks.recommending.models.sequences import PAD, liked, windows
from vidrec_tasks.recommending.models.tower import UserTower
from vidrec_tasks.recommending.training.negatives import Negatives

log = logging.getLogger(__name__)

_LOGITS = 16_000_000  # 64 MB of float32 logits a step, whatever the catalogue
_N_SAMPLED = 4_096


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a tower is trained.

    Attributes:
        max_epochs: passes over the histories at most.
        patience: measured passes without improvement before it stops; 0 never stops early.
        full_softmax_limit: videos up to which every video is a negative.
        learning_rate: of AdamW, falling along a cosine to a tenth.
        weight_decay: of AdamW.
        seed: of order, dropout and samples.
    """

    max_epochs: int
    patience: int = 0
    full_softmax_limit: int = 50_000
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    seed: int = 7


@dataclass(frozen=True)
class Progress:
    """What training went through: loss an epoch, held-out score a measured epoch."""

    losses: list[float]
    scores: list[float]
    best_epoch: int


@taking("tower")
def train_tower(
    tower: UserTower,
    histories: Histories,
    schedule: Schedule,
    *,
    measure: Callable[[UserTower], float] | None = None,
    knows_time: bool = False,
) -> Progress:
    """Train a tower in place; with ``measure`` it ends with the best weights seen.

    Runs on a GPU where there is one.

    Args:
        tower: changed in place.
        histories: what is learned from; the caller has cut it.
        schedule: how long and how fast.
        measure: a held-out score (higher is better), asked after each epoch.
        knows_time: whether what everybody watched at the time of each event is added to the logits
            (`catalogue.lately`), so that the tower learns what speaks for a video beside it.
    """
    losses: list[float] = []
    scores: list[float] = []
    best, best_epoch = _weights(tower), 0
    tower.to(device())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(schedule.seed)
        steps = _Steps(tower, histories, schedule, knows_time=knows_time)
        for epoch in range(1, schedule.max_epochs + 1):
            losses.append(steps.run(epoch))
            if measure is None:
                continue
            scores.append(measure(tower))
            if scores[-1] > max(scores[:-1], default=-1.0):
                best, best_epoch = _weights(tower), epoch
            elif schedule.patience and epoch - best_epoch >= schedule.patience:
                break
    if measure is not None:
        tower.load_state_dict(best)
    tower.to("cpu").eval()
    log.info("tower: %d epochs of %d, best %d", len(losses), schedule.max_epochs, best_epoch)
    return Progress(losses, scores, best_epoch or len(losses))


def _weights(tower: UserTower) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tower.state_dict().items()}


class _Steps:
    """The steps of all epochs: optimiser, batches and negatives."""

    def __init__(
        self, tower: UserTower, histories: Histories, schedule: Schedule, *, knows_time: bool
    ) -> None:
        self.tower, self.histories, self.schedule = tower, histories, schedule
        self.device = tower.is_known.device
        self.rng = np.random.default_rng(schedule.seed)
        self.known = torch.nonzero(tower.is_known).flatten()
        self.optimiser = torch.optim.AdamW(
            tower.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.is_full = len(self.known) <= schedule.full_softmax_limit
        n_negatives = len(self.known) if self.is_full else _N_SAMPLED
        room = _LOGITS // max(1, n_negatives * tower.shape.length)
        self.batch_size = int(np.clip(room, 1, 64))
        self.negatives = Negatives.of(histories, len(tower.is_known), _N_SAMPLED)
        self.times: Histories | None = None
        if knows_time:
            steps = Steps.of(liked(histories), len(tower.is_known))
            self.shares = torch.from_numpy(steps.shares).to(self.device)
            self.times = replace(histories, video_nums=steps.numbers(histories.event_at))

    def run(self, epoch: int) -> float:
        """One pass; returns the mean loss an event."""
        length = self.tower.shape.length
        shift = int(self.rng.integers(length)) if epoch > 1 else 0
        rows = windows(self.histories, length, shift=shift)
        order = self.rng.permutation(len(rows))
        rows = rows[order]
        times = None if self.times is None else windows(self.times, length, shift=shift)[order]
        self._set_rate(epoch)
        self.tower.train()
        total, count = 0.0, 0
        for first in range(0, len(rows), self.batch_size):
            batch = torch.from_numpy(rows[first : first + self.batch_size])
            n_events = int((batch != PAD).sum())
            then = None if times is None else torch.from_numpy(times[first : first + len(batch)])
            total += self._step(batch.to(self.device), then) * n_events
            count += n_events
        return total / max(1, count)

    def _set_rate(self, epoch: int) -> None:
        share = (epoch - 1) / max(1, self.schedule.max_epochs)
        scale = 0.1 + 0.45 * (1 + np.cos(np.pi * share))
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate * float(scale)

    def _step(self, batch: torch.Tensor, times: torch.Tensor | None) -> float:
        used = int((batch != PAD).sum(dim=1).max())
        batch = batch[:, :used]
        videos = self.tower.videos()
        states = self.tower.states(batch[:, :-1], videos)  # (n_rows, used, dim)
        is_event = batch != PAD
        then = None if times is None else times[:, :used].to(self.device)[is_event]
        loss = self._loss(states[is_event], batch[is_event], videos, then)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        self.optimiser.step()
        return float(loss.detach())

    def _loss(
        self,
        states: torch.Tensor,
        targets: torch.Tensor,
        videos: torch.Tensor,
        times: torch.Tensor | None,
    ) -> torch.Tensor:
        """Cross-entropy of the next video against all known videos, or a sample of them."""
        if self.is_full:
            place = torch.full((len(videos),), -1, dtype=torch.long, device=self.device)
            place[self.known] = torch.arange(len(self.known), device=self.device)
            logits = states @ videos[self.known].T  # (n_events, n_known)
            if times is not None:
                logits = logits + self.shares[times][:, self.known]
            return functional.cross_entropy(logits, place[targets])
        drawn = self.negatives.draw(targets.cpu().numpy(), self.rng)
        nums, log_chance, places = (torch.from_numpy(part).to(self.device) for part in drawn)
        logits = states @ functional.embedding(nums, videos).T - log_chance  # (n_events, n_sampled)
        if times is not None:
            logits = logits + self.shares[:, nums][times]
        return functional.cross_entropy(logits, places)

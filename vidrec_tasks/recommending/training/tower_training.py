"""Tower training: next-video prediction with a softmax, full or (large catalogues) sampled.

A step of the sampled one makes, and moves, the videos of its batch and of its sample alone, so it
does not depend on the size of the catalogue.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
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
_ALIKE = 0.2
"""Share of these that is drawn with all liked videos alike."""
_DECAYS, _EPSILON = (0.9, 0.999), 1e-8
"""Of Adam, as usual."""


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
    full_softmax_limit: int = 20_000
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
        n_liked = len(np.unique(histories.video_nums[histories.weights > 0]))
        self.is_full = max(len(self.known), n_liked) <= schedule.full_softmax_limit
        # of a large catalogue a step makes the known videos alone, though they may be few enough
        is_small = self.is_full and len(tower.is_known) <= schedule.full_softmax_limit
        dense = [p for p in tower.parameters() if is_small or p is not tower.ids.weight]
        self.optimiser = torch.optim.AdamW(
            dense, lr=schedule.learning_rate, weight_decay=schedule.weight_decay
        )
        self.ids = None if is_small else _Rows(tower.ids.weight)
        n_negatives = len(self.known) if self.is_full else _N_SAMPLED
        room = _LOGITS // max(1, n_negatives * tower.shape.length)
        self.batch_size = int(np.clip(room, 1, 64))
        self.negatives = Negatives.of(histories, len(tower.is_known), _N_SAMPLED, alike=_ALIKE)
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
        is_event = batch != PAD
        then = None if times is None else times[:, :used].to(self.device)[is_event]
        asked = batch, is_event, then
        loss = self._full(*asked) if self.ids is None else self._among(*asked, self.ids)
        self.optimiser.zero_grad()
        loss.backward()
        moved = [*self.tower.parameters(), *([] if self.ids is None else [self.ids.asked])]
        torch.nn.utils.clip_grad_norm_(moved, 1.0)
        self.optimiser.step()
        if self.ids is not None:
            self.ids.step(self.optimiser.param_groups[0]["lr"])
        return float(loss.detach())

    def _full(
        self, batch: torch.Tensor, is_event: torch.Tensor, times: torch.Tensor | None
    ) -> torch.Tensor:
        """Cross-entropy of the next video against all known videos."""
        videos = self.tower.videos()
        states = self.tower.states(batch[:, :-1], videos)[is_event]  # (n_events, dim)
        place = torch.full((len(videos),), -1, dtype=torch.long, device=self.device)
        place[self.known] = torch.arange(len(self.known), device=self.device)
        logits = states @ videos[self.known].T  # (n_events, n_known)
        if times is not None:
            logits = logits + self.shares[times][:, self.known]
        return functional.cross_entropy(logits, place[batch[is_event]])

    def _among(
        self,
        batch: torch.Tensor,
        is_event: torch.Tensor,
        times: torch.Tensor | None,
        ids: "_Rows",
    ) -> torch.Tensor:
        """Cross-entropy against some videos that hold those of the batch; no other is made.

        They are all known ones where these are few enough, else a sample.
        """
        wanted = batch[is_event].cpu().numpy()
        drawn = self._all_known(wanted) if self.is_full else self.negatives.draw(wanted, self.rng)
        nums, log_chance, places = (torch.from_numpy(part).to(self.device) for part in drawn)
        videos = self.tower.some_videos(nums, ids.ask(nums))  # (n_sampled, dim)
        local = torch.full_like(batch, PAD)
        local[is_event] = places
        states = self.tower.states(local[:, :-1], videos)[is_event]
        logits = states @ videos.T - log_chance  # (n_events, n_sampled)
        if times is not None:
            logits = logits + self.shares[:, nums][times]
        return functional.cross_entropy(logits, places)

    def _all_known(
        self, wanted: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """As `Negatives.draw`, where nothing is left out, so that no chance is to be corrected."""
        nums = np.union1d(self.known.cpu().numpy(), wanted)
        return nums, np.zeros(len(nums), dtype=np.float32), np.searchsorted(nums, wanted)


class _Rows:
    """Adam (Kingma and Ba, 2015) over the rows of a table that a step asks for, and no others.

    A common optimiser moves a million rows, and their moments, for the few thousand of a step.

    Args:
        table: ``(n, dim)``; changed in place.
    """

    def __init__(self, table: torch.Tensor) -> None:
        self.table = table.detach()
        self.moments = torch.zeros_like(self.table), torch.zeros_like(self.table)
        self.n_steps = 0

    def ask(self, nums: torch.Tensor) -> torch.Tensor:
        """The rows of a step, ``(n_nums,)`` each once, whose gradient is wanted."""
        self.nums, self.asked = nums, self.table[nums].requires_grad_()
        return self.asked

    def step(self, rate: float) -> None:
        """Move what was asked for last against its gradient."""
        gradient = self.asked.grad
        if gradient is None:
            return
        self.n_steps += 1
        means = []
        for moment, decay, value in zip(
            self.moments, _DECAYS, (gradient, gradient.square()), strict=True
        ):
            moment[self.nums] = decay * moment[self.nums] + (1 - decay) * value
            means.append(moment[self.nums] / (1 - decay**self.n_steps))
        self.table[self.nums] -= rate * means[0] / (means[1].sqrt() + _EPSILON)

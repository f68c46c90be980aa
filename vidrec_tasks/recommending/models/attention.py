"""Target attention: ``s(u, v) = Attention(g(u), f(v))``, the candidate asks the history.

After DIN (Zhou et al., 2018): each candidate weighs the liked videos and ``g(u)`` by a softmax,
and is scored against the mixture. The score is a sum over history items, so its shares are exact.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from vidrec_tasks.recommending.models.sequences import PAD

_N_PLACES = 50
_ROWS = 32
"""Users scored together: of more, what lies between leaves the processor's cache."""


@dataclass(frozen=True)
class Attended:
    """Scores of candidates and what each history item gave to them.

    Attributes:
        scores: ``(n_users, k)`` float32.
        shares: ``(n_users, k, n_history)`` float32, parts of the score that stem from each item.
    """

    scores: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]


class TargetAttention(nn.Module):
    """Attention of candidates over a history of item vectors, with ``g(u)`` as one more entry.

    Args:
        dim: width of item and user vectors.
        n_heads: attention heads.
        dropout: share of history items dropped while training.
    """

    def __init__(self, dim: int, *, n_heads: int = 4, dropout: float = 0.2) -> None:
        super().__init__()
        self.n_heads, self.dropout = n_heads, dropout
        self.ask = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim, bias=False)
        self.user_key = nn.Linear(dim, dim)
        self.user_value = nn.Linear(dim, dim, bias=False)
        self.places = nn.Parameter(torch.zeros(_N_PLACES, n_heads))
        self.scale = nn.Parameter(torch.tensor(1.0))
        nn.init.eye_(self.user_value.weight)

    def parts(
        self, users: torch.Tensor, history: torch.Tensor, is_real: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        """What each entry adds to each candidate's score.

        Args:
            users: ``(n, dim)`` ``g(u)``.
            history: ``(n, length, dim)`` ``f(v)`` of liked videos, newest last.
            is_real: ``(n, length)`` False where padded.
            asked: ``(n, k, dim)`` ``f(v)`` of candidates.

        Returns:
            ``(n, k, 1 + length)``; place 0 is ``g(u)``. The sum over the last axis is the score.
        """
        entries = torch.cat([self.user_key(users)[:, None], self.key(_unit(history))], dim=1)
        values = torch.cat([self.user_value(users)[:, None], self.value(history)], dim=1)
        logits = self._heads(self.ask(_unit(asked))) @ self._heads(entries).transpose(-1, -2)
        length = history.shape[1]
        place = torch.arange(length - 1, -1, -1).clamp(max=_N_PLACES - 1)  # 0 is the newest
        near = functional.pad(self.places[place].T, (1, 0))  # (n_heads, 1 + length)
        logits = logits / (asked.shape[-1] // self.n_heads) ** 0.5 + near[None, :, None]
        hidden = functional.pad(~self._kept(is_real), (1, 0))  # g(u) is never hidden
        share = logits.masked_fill(hidden[:, None, None], -1e9).softmax(dim=-1)
        worth = self._heads(asked) @ self._heads(values).transpose(-1, -2)
        return (share * worth).sum(dim=1) * self.scale

    def _kept(self, is_real: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return is_real
        return is_real & (torch.rand(is_real.shape) >= self.dropout)

    def _heads(self, rows: torch.Tensor) -> torch.Tensor:
        """``(n, m, dim)`` to ``(n, n_heads, m, dim / n_heads)``."""
        n, m, _ = rows.shape
        return rows.view(n, m, self.n_heads, -1).transpose(1, 2)


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(rows, rows.shape[-1:])


@torch.no_grad()
def attend(
    model: TargetAttention,
    users: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
    videos: npt.NDArray[np.float32],
    nums: npt.NDArray[np.int64],
) -> Attended:
    """Score candidates of a block of users.

    Args:
        model: trained.
        users: ``(n_users, dim)`` ``g(u)``.
        rows: ``(n_users, n_history)`` liked videos, newest last, `PAD` in front.
        videos: ``(n_videos, dim)`` ``f(v)``.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.
    """
    model.eval()
    n_users, n_asked = nums.shape
    asked = np.maximum(nums, 0)
    vectors = torch.from_numpy(videos)
    parts = np.empty((n_users, n_asked, 1 + rows.shape[1]), dtype=np.float32)
    for first in range(0, n_users, _ROWS):
        some = slice(first, first + _ROWS)
        made = model.parts(
            torch.from_numpy(users[some]),
            vectors[torch.from_numpy(np.maximum(rows[some], 0))],
            torch.from_numpy(rows[some] != PAD),
            vectors[torch.from_numpy(asked[some])],
        )
        parts[some] = made.numpy()
    return Attended(parts.sum(axis=-1), parts[..., 1:])

"""Target attention: ``s(u, v) = f(v) . g(u)`` and what the candidate finds in the history.

After DIN (Zhou et al., 2018): each candidate weighs the liked videos by a softmax, which may also
choose none of them, and adds what it finds to its product with ``g(u)``. It starts as that product
alone and learns what to add, so it is never worse than the tower on the events that it is chosen
on. The score is a sum over ``g(u)`` and the history.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from vidrec_tasks.recommending.models.sequences import PAD

N_ASKED: Final = 50
"""Most recent liked videos that candidates ask: of more, most are never weighed."""
_ROWS = 32
"""Users scored together: of more, what lies between leaves the processor's cache."""


class TargetAttention(nn.Module):
    """Attention of candidates over a history of item vectors, beside their product with ``g(u)``.

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
        self.places = nn.Parameter(torch.zeros(N_ASKED, n_heads))
        self.none = nn.Parameter(torch.zeros(n_heads))
        nn.init.zeros_(self.value.weight)

    @property
    def is_idle(self) -> bool:
        """Whether it learned nothing to add."""
        return not bool(self.value.weight.any())

    def parts(
        self, history: torch.Tensor, is_real: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        """What each video of the history adds to each candidate's product with ``g(u)``.

        Args:
            history: ``(n, length, dim)`` ``f(v)`` of liked videos, newest last, at most `N_ASKED`.
            is_real: ``(n, length)`` False where padded.
            asked: ``(n, k, dim)`` ``f(v)`` of candidates.

        Returns:
            ``(n, k, length)``, 0 where padded.
        """
        length = history.shape[1]
        logits, worth = self._looks(history, asked)
        logits = logits + self.places[:length].flip(0).T[None, :, None]  # row 0: the newest
        return (self._shares(logits, self._kept(is_real)[:, None, None]) * worth).sum(dim=1)

    def sums_of_some(
        self, history: torch.Tensor, asked: torch.Tensor, has: torch.Tensor
    ) -> torch.Tensor:
        """What parts of one history add; what is the same for all of them is computed once.

        Args:
            history: ``(n, length, dim)`` as of `parts`, of any length.
            asked: ``(n, k, dim)`` as of `parts`.
            has: ``(n, m, length)`` the videos of each part, at most `N_ASKED`.

        Returns:
            ``(n, m, k)``, the sums of `parts` over the history.
        """
        logits, worth = self._looks(history, asked)
        newer = has.flip(-1).cumsum(dim=-1).flip(-1) - 1  # (n, m, length) how many of it are
        places = self.places[newer.clamp(0, N_ASKED - 1)].movedim(-1, 2)  # (n, m, heads, length)
        shares = self._shares(logits[:, None] + places[..., None, :], has[:, :, None, None])
        return (shares * worth[:, None]).sum(dim=(2, 4))

    def _looks(
        self, history: torch.Tensor, asked: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """``(n, heads, k, length)`` logits without places, and what each video would add."""
        logits = self._heads(self.ask(_unit(asked))) @ self._heads(self.key(_unit(history))).mT
        worth = self._heads(asked) @ self._heads(self.value(history)).mT
        return logits / (asked.shape[-1] // self.n_heads) ** 0.5, worth

    def _shares(self, logits: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
        """The softmax of ``(…, heads, k, length)`` beside choosing none of them."""
        logits = logits.masked_fill(~is_real, -1e9)
        none = self.none[:, None, None].expand(*logits.shape[:-1], 1)
        return torch.cat([logits, none], dim=-1).softmax(dim=-1)[..., :-1]

    def _kept(self, is_real: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return is_real
        return is_real & (torch.rand(is_real.shape, device=is_real.device) >= self.dropout)

    def _heads(self, rows: torch.Tensor) -> torch.Tensor:
        """``(n, m, dim)`` to ``(n, n_heads, m, dim / n_heads)``."""
        n, m, _ = rows.shape
        return rows.view(n, m, self.n_heads, -1).transpose(1, 2)


def _unit(rows: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(rows, rows.shape[-1:])


@torch.no_grad()
def attend(
    model: TargetAttention,
    rows: npt.NDArray[np.int64],
    videos: npt.NDArray[np.float32],
    nums: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """What the history adds to the product of each candidate with ``g(u)``, for a block of users.

    Args:
        model: trained.
        rows: ``(n_users, n_history)`` liked videos, newest last, `PAD` in front.
        videos: ``(n_videos, dim)`` ``f(v)``.
        nums: ``(n_users, k)`` candidates, -1 where a row is shorter.

    Returns:
        ``(n_users, k)``.
    """
    if model.is_idle:
        return np.zeros(nums.shape, dtype=np.float32)
    model.eval()
    rows = rows[:, -N_ASKED:]
    vectors = torch.from_numpy(videos)
    added = np.empty(nums.shape, dtype=np.float32)
    for first in range(0, len(nums), _ROWS):
        some = slice(first, first + _ROWS)
        history = vectors[torch.from_numpy(np.maximum(rows[some], 0))]
        asked = vectors[torch.from_numpy(np.maximum(nums[some], 0))]
        parts = model.parts(history, torch.from_numpy(rows[some] != PAD), asked)
        added[some] = parts.sum(dim=-1).numpy()
    return added

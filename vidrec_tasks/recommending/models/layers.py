"""Layers of the user tower: causal attention and a SwiGLU, each let through by a gate of its own.

The gates are those of LiGR (Borisyuk et al., 2025), which SASRec gained by in eSASRec (Tikhonovich
et al., 2025); SwiGLU is after Shazeer (2020). A layer says all states of a row while training, and
the last one alone for the many histories that a night embeds.
"""

import torch
from torch import nn
from torch.nn import functional


class GatedLayer(nn.Module):
    """A causal transformer layer, normalised before each part, whose parts are gated.

    What flows along the residual path is dropped while training, and nothing else: dropping
    attention weights and inner activations too cost a tenth of an epoch and gained nothing that
    could be measured.

    Args:
        dim: width.
        n_heads: attention heads.
        dropout: share dropped.
    """

    def __init__(self, dim: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        inner = -(-4 * dim * 2 // 3 // 8) * 8  # the weights of a common layer of 4 * dim
        self.attention_norm, self.forward_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.asked, self.read = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.mixed, self.attention_gate = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.inner, self.outer = nn.Linear(dim, 2 * inner), nn.Linear(inner, dim)
        self.forward_gate = nn.Linear(dim, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """``(n_rows, length, dim)`` of the same: each place has read itself and those before."""
        normed = self.attention_norm(hidden)
        return self._attend(hidden, normed, self.read(normed))

    def after(self, hidden: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """What `forward` says where the `keys` of the states are at hand."""
        return self._attend(hidden, self.attention_norm(hidden), keys)

    def end(self, hidden: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        """What `forward` says at one place of each row, up to rounding.

        Nothing reads the other states of the last layer, so only their keys and values are made.

        Args:
            hidden: ``(n_rows, length, dim)`` left-aligned; what stands behind an end is not read.
            ends: ``(n_rows,)`` the places.

        Returns:
            ``(n_rows, 1, dim)``.
        """
        rows = torch.arange(len(hidden), device=hidden.device)
        normed = self.attention_norm(hidden)
        last = normed[rows, ends][:, None]
        key, value = (self._heads(part) for part in self.read(normed).chunk(2, dim=-1))
        places = torch.arange(hidden.shape[1], device=hidden.device)
        is_seen = (places <= ends[:, None])[:, None, None]  # (n_rows, 1, 1, length)
        found = functional.scaled_dot_product_attention(
            self._heads(self.asked(last)), key, value, attn_mask=is_seen
        )
        return self._through(hidden[rows, ends][:, None], last, found)

    def beside(
        self,
        hidden: torch.Tensor,
        before: tuple[torch.Tensor, torch.Tensor],
        is_seen: torch.Tensor,
        *,
        last: bool = False,
    ) -> torch.Tensor:
        """What `forward` says of places whose earlier ones were read already, up to rounding.

        Args:
            hidden: ``(n_rows, n_own, dim)`` the places that are asked for.
            before: of `split`, ``(n_rows, n_heads, n_before, dim / n_heads)`` each.
            is_seen: ``(n_rows, 1, n_own, n_before + n_own)`` what each place reads.
            last: whether the last place alone is asked for.

        Returns:
            ``(n_rows, n_own, dim)``, or ``(n_rows, 1, dim)``.
        """
        normed = self.attention_norm(hidden)
        key, value = (self._heads(part) for part in self.read(normed).chunk(2, dim=-1))
        key, value = (torch.cat(pair, dim=2) for pair in zip(before, (key, value), strict=True))
        if last:
            hidden, normed, is_seen = hidden[:, -1:], normed[:, -1:], is_seen[:, :, -1:]
        found = functional.scaled_dot_product_attention(
            self._heads(self.asked(normed)), key, value, attn_mask=is_seen
        )
        return self._through(hidden, normed, found)

    def at_ends(
        self,
        hidden: torch.Tensor,
        before: tuple[torch.Tensor, torch.Tensor],
        is_seen: torch.Tensor,
        slots: torch.Tensor,
    ) -> torch.Tensor:
        """What `beside` says of one place a row, where rows share keys that are not copied.

        Args:
            hidden: ``(n_rows, 1, dim)``.
            before: of `split`, ``(n_groups, n_heads, n_before, dim / n_heads)`` each.
            is_seen: ``(n_groups, n_slots, n_before)`` what the row of each slot reads.
            slots: ``(n_rows,)`` the slot of each row, counted through all groups.

        Returns:
            ``(n_rows, 1, dim)``.
        """
        normed, (key, value) = self.attention_norm(hidden), before
        shape = (*is_seen.shape[:2], self.n_heads, key.shape[-1])

        def spread(rows: torch.Tensor) -> torch.Tensor:
            """``(n_groups, n_heads, n_slots, width)``, 0 where there is no row."""
            into = rows.new_zeros(shape[0] * shape[1], rows.shape[-1])
            into[slots] = rows[:, 0]
            return into.view(shape).transpose(1, 2)

        asked = spread(self.asked(normed)) * shape[-1] ** -0.5
        own_key, own_value = map(spread, self.read(normed).chunk(2, dim=-1))
        logits = (asked @ key.mT).masked_fill(~is_seen[:, None], float("-inf"))
        own = (asked * own_key).sum(dim=-1, keepdim=True)
        share = torch.cat([logits, own], dim=-1).softmax(dim=-1)
        found = share[..., :-1] @ value + share[..., -1:] * own_value
        rows = found.transpose(1, 2).reshape(-1, self.n_heads, 1, shape[-1])[slots]
        return self._through(hidden, normed, rows)

    def keys(self, hidden: torch.Tensor) -> torch.Tensor:
        """``(…, 2 * dim)`` keys and values of states ``(…, dim)``, side by side."""
        read: torch.Tensor = self.read(self.attention_norm(hidden))
        return read

    def split(self, keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(n_rows, length, 2 * dim)`` as keys and values ``(n_rows, n_heads, length, width)``."""
        key, value = keys.chunk(2, dim=-1)
        return self._heads(key), self._heads(value)

    def _attend(
        self, hidden: torch.Tensor, normed: torch.Tensor, keys: torch.Tensor
    ) -> torch.Tensor:
        """The layer, where each place reads itself and those before it."""
        found = functional.scaled_dot_product_attention(
            self._heads(self.asked(normed)), *self.split(keys), is_causal=True
        )
        return self._through(hidden, normed, found)

    def _through(
        self, hidden: torch.Tensor, normed: torch.Tensor, found: torch.Tensor
    ) -> torch.Tensor:
        """The rest of the layer, for the places that ``found`` was read at."""
        n_rows, _, length, _ = found.shape
        joined = self.mixed(found.transpose(1, 2).reshape(n_rows, length, -1))
        hidden = hidden + self.dropout(torch.sigmoid(self.attention_gate(normed)) * joined)
        normed = self.forward_norm(hidden)
        gate, inner = self.inner(normed).chunk(2, dim=-1)
        made = self.outer(functional.silu(gate) * inner)
        out: torch.Tensor = hidden + self.dropout(torch.sigmoid(self.forward_gate(normed)) * made)
        return out

    def _heads(self, rows: torch.Tensor) -> torch.Tensor:
        """``(n, m, dim)`` to ``(n, n_heads, m, dim / n_heads)``."""
        n, m, dim = rows.shape
        return rows.view(n, m, self.n_heads, dim // self.n_heads).transpose(1, 2)

"""Reading: the last state of the user tower alone, for the many histories that a night embeds.

Computes what `UserTower.states` says at the end of each row, by the same weights. Nothing reads
the other states of the last layer, so only their keys and values are made: of a row of 16 videos
that leaves 4 parts of 10 of the products.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


def read_to_end(layers: Iterable[Any], hidden: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """What causal layers, in evaluation, say at the end of each row.

    Args:
        layers: `nn.TransformerEncoderLayer`, at least one, normalised before each part, by gelu.
        hidden: ``(n_rows, length, dim)`` left-aligned rows; what stands behind an end is not read.
        ends: ``(n_rows,)`` the last place of each row.

    Returns:
        ``(n_rows, dim)``, up to rounding what the layers give at those places.
    """
    *lower, top = layers
    for layer in lower:
        hidden = _through(layer, hidden)
    return _end_of(top, hidden, ends)


def _through(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
    """A whole causal layer, normalised before each part."""
    attention = layer.self_attn
    projected = functional.linear(
        layer.norm1(hidden), attention.in_proj_weight, attention.in_proj_bias
    )
    ask, key, value = (_heads(part, attention) for part in projected.chunk(3, dim=-1))
    mixed = functional.scaled_dot_product_attention(ask, key, value, is_causal=True)
    return _forward(layer, hidden + attention.out_proj(_joined(mixed)))


def _end_of(layer: Any, hidden: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """``(n_rows, dim)`` what a causal layer says at the end of each row."""
    attention = layer.self_attn
    dim = hidden.shape[-1]
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    rows = torch.arange(len(hidden), device=hidden.device)
    normed = layer.norm1(hidden)
    last = normed[rows, ends][:, None]  # (n_rows, 1, dim)
    ask = _heads(functional.linear(last, weight[:dim], bias[:dim]), attention)
    read = functional.linear(normed, weight[dim:], bias[dim:])
    key, value = (_heads(part, attention) for part in read.chunk(2, dim=-1))
    places = torch.arange(hidden.shape[1], device=hidden.device)
    seen = (places <= ends[:, None])[:, None, None]  # (n_rows, 1, 1, length)
    mixed = functional.scaled_dot_product_attention(ask, key, value, attn_mask=seen)
    return _forward(layer, hidden[rows, ends] + attention.out_proj(_joined(mixed))[:, 0])


def _forward(layer: Any, hidden: torch.Tensor) -> torch.Tensor:
    inner = functional.gelu(layer.linear1(layer.norm2(hidden)))
    out: torch.Tensor = hidden + layer.linear2(inner)
    return out


def _heads(rows: torch.Tensor, attention: nn.MultiheadAttention) -> torch.Tensor:
    """``(n, m, dim)`` to ``(n, n_heads, m, dim / n_heads)``."""
    n, m, _ = rows.shape
    return rows.view(n, m, attention.num_heads, -1).transpose(1, 2)


def _joined(heads: torch.Tensor) -> torch.Tensor:
    """``(n, n_heads, m, head_dim)`` to ``(n, m, dim)``."""
    n, _, m, _ = heads.shape
    return heads.transpose(1, 2).reshape(n, m, -1)

"""Hardware: what this machine computes on, and in which precision it is quick."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def device() -> str:
    """``cuda`` where there is a GPU, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def quick_dtype(precision: str = "auto") -> "torch.dtype":
    """The number format to compute in.

    Args:
        precision: ``fp32``, ``bf16``, or ``auto``: bfloat16 where the GPU or the processor computes
            in it (AVX-512 BF16 or AMX), else float32.
    """
    import torch

    if precision != "auto":
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    cpu: Any = torch.cpu
    if cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported():
        return torch.bfloat16
    return torch.float32


def cores(threads: int = 0) -> int:
    """How many cores this process may use.

    Args:
        threads: the setting of that name; 0: as many as the machine gives it.
    """
    return threads or len(os.sched_getaffinity(0))

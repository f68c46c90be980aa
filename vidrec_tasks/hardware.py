"""Hardware: what this machine computes on, in which precision it is quick, what memory it lends."""

import ctypes
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

PROCESSOR_FILE: Final = Path("/proc/cpuinfo")
BFLOAT16_FLAG: Final = "amx_tile"
"""AVX-512 BF16 without AMX does not pay: on such a processor (two cores of a Xeon) texts took 1.6
and frames 1.1 to 1.3 times as long as in float32, and sentences as long."""
GPU_FILES: Final = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Where Linux shows the driver of a GPU: NVIDIA's, AMD's, and Windows' under WSL."""


def device() -> str:
    """``cuda`` where there is a GPU, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def quick_dtype(precision: str = "auto") -> "torch.dtype":
    """The number format to compute in; see `quick_precision`."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16}[quick_precision(precision)]


def quick_precision(precision: str = "auto") -> str:
    """The number format to compute in, by its short name.

    A night in which nothing changed asks for no more than this, so torch, whose import takes
    seconds, is asked only where a GPU may be or the processor does not say what it has.

    Args:
        precision: ``fp32``, ``bf16``, or ``auto``: bfloat16 where the GPU or the processor is
            quicker in it (AMX), else float32.
    """
    if precision != "auto":
        return precision
    flags = _processor_flags()
    if flags and not any(Path(path).exists() for path in GPU_FILES):
        return "bf16" if BFLOAT16_FLAG in flags else "fp32"
    return "bf16" if torch_is_quick_in_bfloat16() else "fp32"


def _processor_flags() -> frozenset[str]:
    """What an x86 processor under Linux says it has; nothing elsewhere."""
    try:
        lines = PROCESSOR_FILE.read_text("utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def torch_is_quick_in_bfloat16() -> bool:
    """Whether the GPU, or else the processor, has units for bfloat16 (AMX), as torch sees it."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    cpu: Any = torch.cpu
    return bool(cpu._is_amx_tile_supported())


def cores(threads: int = 0) -> int:
    """How many cores this process may use.

    Args:
        threads: the setting of that name; 0: as many as the machine gives it.
    """
    return threads or len(os.sched_getaffinity(0))


def release_pages(vectors: "npt.NDArray[np.generic]") -> None:
    """Let the system take back the pages of a mapped file; other arrays are left alone.

    They are read again when they are asked for. For arrays that are only read, or whose file is
    what is written to: a changed page of a private mapping would be lost.
    """
    base: Any = vectors
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


@contextmanager
def room_for(n_bytes: int) -> Iterator[None]:
    """Let memory be refused once the process has mapped so many bytes more than it has now.

    Where the system does not say what a process has mapped (it is Linux that does), nothing is
    refused. It is a bound for what is read of a stranger's file, not for work of several threads.

    Raises:
        MemoryError: inside, where the room is not enough.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        n_pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        yield
        return
    limit = n_pages * mmap.PAGESIZE + n_bytes
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def return_memory() -> None:
    """Give back to the system what the C library (glibc) and Arrow keep of what was freed."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # another C library has no such call
        ctypes.CDLL(None).malloc_trim(0)

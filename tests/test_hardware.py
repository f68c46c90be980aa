import sys
from pathlib import Path

import pytest
import torch

from vidrec_tasks import hardware


@pytest.fixture
def processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a GPU, whose processor says what a test writes."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(hardware, "PROCESSOR_FILE", path)
    monkeypatch.setattr(hardware, "GPU_FILES", ())
    return path


@pytest.mark.parametrize(
    ("flags", "precision"),
    [("fpu avx512f avx512_bf16", "fp32"), ("fpu amx_tile", "bf16"), ("fpu avx2", "fp32")],
)
def test_the_processors_flags_say_the_precision(
    processor: Path, flags: str, precision: str
) -> None:
    processor.write_text(f"processor : 0\nflags\t\t: {flags}\n")
    assert hardware.quick_precision() == precision


def test_what_is_asked_for_is_taken(processor: Path) -> None:
    assert [hardware.quick_precision(name) for name in ("fp32", "bf16")] == ["fp32", "bf16"]
    assert hardware.quick_dtype("bf16") is torch.bfloat16


def test_a_processor_that_says_nothing_is_known_by_torch(
    processor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "torch_is_quick_in_bfloat16", lambda: True)
    assert hardware.quick_precision() == "bf16"


@pytest.mark.skipif(sys.platform != "linux", reason="flags are read under Linux")
def test_this_machine_says_the_same_as_torch() -> None:
    is_quick = hardware.torch_is_quick_in_bfloat16()
    assert hardware.quick_precision() == ("bf16" if is_quick else "fp32")

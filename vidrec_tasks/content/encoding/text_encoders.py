"""Text encoders of transformers: mean pooling over the tokens, batches of like length.

Reimers and Gurevych, "Sentence-BERT", 2019. The embedded one is all-MiniLM-L6-v2.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from vidrec_tasks.content.encoding.batching import alone, batches_of, chunks_of_blocks
from vidrec_tasks.content.encoding.model_files import ModelFiles
from vidrec_tasks.content.encoding.threads import spread
from vidrec_tasks.errors import ModelError
from vidrec_tasks.hardware import device, quick_dtype

Floats = npt.NDArray[np.float32]

MAX_TOKENS: Final = 512
CHUNK: Final = 4_096
"""Texts tokenised at once, so that a shard's tokens never lie in memory together."""


class TransformerTextEncoder:
    """A text encoder from a model's folder.

    Args:
        files: the model.
        identity: see `encoders.TextEncoder`.
        precision: ``auto``, ``fp32`` or ``bf16``.
        batch_size: texts encoded at once.
        prefix: put before every text that is not empty.

    Raises:
        ModelError: transformers cannot load it.
    """

    def __init__(
        self,
        files: ModelFiles,
        identity: str,
        *,
        precision: str = "auto",
        batch_size: int = 64,
        prefix: str = "",
    ) -> None:
        self.identity = identity
        self._batch_size = batch_size
        self._prefix = prefix
        self._device = device()
        self._tokenizer, self._model = _load(files, quick_dtype(precision), self._device)
        self._max_tokens = _max_tokens(files, self._tokenizer, self._model.config)
        self._is_first_pooled = _pools_first(files)

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return int(self._model.config.hidden_size)

    def encode(self, texts: Sequence[str], blocks: Sequence[int] | None = None) -> Floats:
        """See `encoders.TextEncoder`."""
        of_text = np.array(alone(len(texts), blocks), dtype=np.int64)
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        filled = np.array([num for num, text in enumerate(texts) if text.strip()], dtype=np.int64)
        for nums in chunks_of_blocks(filled, of_text, CHUNK):
            vectors[nums] = self._encode_filled(
                [f"{self._prefix}{texts[num]}" for num in nums], of_text[nums]
            )
        return vectors

    def _encode_filled(self, texts: list[str], blocks: npt.NDArray[np.int64]) -> Floats:
        tokens = self._tokenizer(texts, truncation=True, max_length=self._max_tokens)
        lengths = [len(ids) for ids in tokens["input_ids"]]
        parts = list(
            batches_of(
                lengths,
                blocks.tolist(),
                self._batch_size,
                longest=self._max_tokens,
                device=self._device,
            )
        )
        batches = [
            self._tokenizer.pad(
                {name: [values[num] for num in part.nums] for name, values in tokens.items()},
                return_tensors="pt",
                padding="max_length",
                max_length=part.width,
            )
            for part in parts
        ]
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        for part, made in zip(
            parts, spread(self._encode_batch, batches, device=self._device), strict=True
        ):
            vectors[part.nums] = made
        return vectors

    @torch.inference_mode()
    def _encode_batch(self, batch: Any) -> Floats:
        padded = batch.to(self._device)
        states = self._model(**padded).last_hidden_state  # (n, n_tokens, dim)
        if self._is_first_pooled:
            pooled = states[:, 0].float()
        else:
            # summed in float32: in bfloat16 the mean of 200 tokens loses what tells texts apart
            mask = padded["attention_mask"].unsqueeze(-1).float()
            pooled = (states.float() * mask).sum(1) / mask.sum(1).clamp(min=1)
        unit: Floats = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return unit


def _load(files: ModelFiles, dtype: torch.dtype, place: str) -> tuple[Any, Any]:
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(files.folder)
        model = AutoModel.from_pretrained(files.folder, dtype=dtype)
    except (OSError, ValueError, KeyError) as error:
        message = (
            f"text encoder {files.name}: cannot be loaded from {files.folder} ({error}); "
            "name another one in VIDREC_CONTENT__TEXT_ENCODER"
        )
        raise ModelError(message) from error
    return tokenizer, model.to(place).eval()


def _max_tokens(files: ModelFiles, tokenizer: Any, config: Any) -> int:
    """The length a text is cut to: what the model was trained with, where its folder says so."""
    path = files.folder / "sentence_bert_config.json"
    trained = json.loads(path.read_text("utf-8")).get("max_seq_length") if path.exists() else None
    limits = (trained, tokenizer.model_max_length, getattr(config, "max_position_embeddings", None))
    return min(MAX_TOKENS, *(int(limit) for limit in limits if limit))


def _pools_first(files: ModelFiles) -> bool:
    """Whether the folder asks for the first token's state in place of the mean."""
    path = files.folder / "1_Pooling" / "config.json"
    if not path.exists():
        return False
    return bool(json.loads(path.read_text("utf-8")).get("pooling_mode_cls_token"))

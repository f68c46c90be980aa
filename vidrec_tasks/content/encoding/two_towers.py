"""Two towers: CLIP and SigLIP, which embed texts and pictures in one space.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021; Zhai
et al., "Sigmoid Loss for Language Image Pre-Training", 2023.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from vidrec_tasks.content.encoding.batching import alone, batches_of, image_batches
from vidrec_tasks.content.encoding.classes import N_CLASSES, class_names
from vidrec_tasks.content.encoding.concepts import likeliest
from vidrec_tasks.content.encoding.conse import softmax
from vidrec_tasks.content.encoding.encoders import Frames
from vidrec_tasks.content.encoding.model_files import ModelFiles
from vidrec_tasks.errors import ModelError
from vidrec_tasks.hardware import device, quick_dtype

Floats = npt.NDArray[np.float32]

CONCEPT_TEXT: Final = "a photo of a {}"


class TwoTowers:
    """A frame encoder whose queries go through its own text tower.

    Args:
        files: the model.
        identity: see `encoders.FrameEncoder`.
        precision: ``auto``, ``fp32`` or ``bf16``.
        batch_size: texts or frames encoded at once.

    Raises:
        ModelError: transformers cannot load it.
    """

    def __init__(
        self, files: ModelFiles, identity: str, *, precision: str = "auto", batch_size: int = 64
    ) -> None:
        self.identity = identity
        self._batch_size = batch_size
        self._device, self._dtype = device(), quick_dtype(precision)
        self._tokenizer, self._processor, self._model = _load(files, self._dtype, self._device)
        text = self._model.config.text_config
        self._max_tokens = int(text.max_position_embeddings)
        self._is_padded = "siglip" in self._model.config.model_type
        self.dim = int(getattr(text, "projection_size", None) or self._model.config.projection_dim)

    def encode(
        self, images: Sequence[npt.NDArray[np.uint8]], blocks: Sequence[int] | None = None
    ) -> Frames:
        """See `encoders.FrameEncoder`."""
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        concepts: list[list[list[Any]]] = [[] for _ in images]
        of_image = alone(len(images), blocks)
        for nums in image_batches(of_image, self._batch_size, device=self._device):
            vectors[nums] = self._encode_images([images[num] for num in nums])
            scores = np.float32(self._scale) * (vectors[nums] @ self._class_vectors.T)
            for num, seen in zip(nums, likeliest(softmax(scores), class_names()), strict=True):
                concepts[num] = seen
        return Frames(vectors, concepts)

    def encode_queries(self, texts: Sequence[str], blocks: Sequence[int] | None = None) -> Floats:
        """``(n, dim)`` unit rows from the text tower; an empty text has a zero row."""
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        filled = np.array([num for num, text in enumerate(texts) if text.strip()], dtype=np.int64)
        if not len(filled):
            return vectors
        tokens = self._tokenizer(
            [texts[num] for num in filled],
            truncation=True,
            max_length=self._max_tokens,
            padding="max_length" if self._is_padded else False,  # as SigLIP was trained
        )
        lengths = [len(ids) for ids in tokens["input_ids"]]
        of_text = np.array(alone(len(texts), blocks), dtype=np.int64)[filled]
        for part in batches_of(
            lengths,
            of_text.tolist(),
            self._batch_size,
            longest=self._max_tokens,
            device=self._device,
        ):
            batch = {name: [values[num] for num in part.nums] for name, values in tokens.items()}
            vectors[filled[part.nums]] = self._encode_texts(batch, part.width)
        return vectors

    def as_text_encoder(self) -> "TextTower":
        """The text tower alone."""
        return TextTower(self)

    @torch.inference_mode()
    def _encode_images(self, images: Sequence[npt.NDArray[np.uint8]]) -> Floats:
        pictures = [cv2.cvtColor(image, cv2.COLOR_BGR2RGB) for image in images]
        pixels = self._processor(images=pictures, return_tensors="pt")["pixel_values"]
        return _unit(self._model.get_image_features(pixels.to(self._device, self._dtype)))

    @torch.inference_mode()
    def _encode_texts(self, batch: dict[str, list[list[int]]], width: int) -> Floats:
        padded = self._tokenizer.pad(
            batch, return_tensors="pt", padding="max_length", max_length=width
        ).to(self._device)
        known = {name: padded[name] for name in ("input_ids", "attention_mask") if name in padded}
        if self._is_padded:  # its padding is read, not masked
            known.pop("attention_mask", None)
        return _unit(self._model.get_text_features(**known))

    @cached_property
    def _class_vectors(self) -> Floats:
        """``(n_classes, dim)`` of the class names, made once."""
        return self.encode_queries(
            [CONCEPT_TEXT.format(name) for name in class_names()], [0] * N_CLASSES
        )

    @property
    def _scale(self) -> float:
        """What the model was trained to multiply cosines with."""
        return float(self._model.logit_scale.detach().float().exp())


class TextTower:
    """The text tower of two, as a text encoder.

    Args:
        towers: the model.
    """

    def __init__(self, towers: TwoTowers) -> None:
        self._towers = towers
        self.identity = towers.identity
        self.dim = towers.dim

    def encode(self, texts: Sequence[str], blocks: Sequence[int] | None = None) -> Floats:
        """See `encoders.TextEncoder`."""
        return self._towers.encode_queries(texts, blocks)


def _load(files: ModelFiles, dtype: torch.dtype, place: str) -> tuple[Any, Any, Any]:
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(files.folder)
        processor = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
            files.folder, backend="pil"
        )
        model = AutoModel.from_pretrained(files.folder, dtype=dtype)
    except (OSError, ValueError, KeyError, ImportError) as error:
        message = (
            f"encoder {files.name}: cannot be loaded from {files.folder} ({error}); "
            "name another one in VIDREC_CONTENT__FRAME_ENCODER"
        )
        raise ModelError(message) from error
    return tokenizer, processor, model.to(place).eval()


def _unit(made: Any) -> Floats:
    """Unit rows of what a tower returns."""
    pooled = made if isinstance(made, torch.Tensor) else made.pooler_output
    unit: Floats = torch.nn.functional.normalize(pooled.float(), dim=1).cpu().numpy()
    return unit

"""The embedded frame encoder: EfficientNet-Lite0's classes, carried into the space of texts.

The network is `efficientnet`, the carrying is `conse`; CLIP and SigLIP are `two_towers`.
"""

import hashlib
import logging
import os
import uuid
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.batching import STEP, TOKENS, alone, image_batches
from vidrec_tasks.content.encoding.classes import N_CLASSES, class_names, class_texts
from vidrec_tasks.content.encoding.concepts import likeliest
from vidrec_tasks.content.encoding.conse import TEMPERATURE, ClassSpace, softmax
from vidrec_tasks.content.encoding.efficientnet import QuickNetwork, plain_network, prepare
from vidrec_tasks.content.encoding.encoders import Frames, TextEncoder
from vidrec_tasks.content.encoding.threads import spread
from vidrec_tasks.hardware import device, quick_dtype

Floats = npt.NDArray[np.float32]

log = logging.getLogger(__name__)

GPU_IMAGES = 64
"""Images of a batch on a GPU: as many as a film may have keyframes."""


class ConseFrameEncoder:
    """ConSE over EfficientNet-Lite0.

    Args:
        text: reads class texts and queries.
        identity: see `encoders.FrameEncoder`.
        precision: ``auto``, ``fp32`` or ``bf16``.
        cache: folder in which the class texts' embeddings are kept; None: nowhere.
    """

    def __init__(
        self,
        text: TextEncoder,
        identity: str,
        *,
        precision: str = "auto",
        cache: Path | None = None,
    ) -> None:
        self.identity = identity
        self._text = text
        self._precision = precision
        self._cache = cache

    @property
    def dim(self) -> int:
        """Width of a vector: that of the text encoder."""
        return self._text.dim

    def encode(
        self, images: Sequence[npt.NDArray[np.uint8]], blocks: Sequence[int] | None = None
    ) -> Frames:
        """See `encoders.FrameEncoder`."""
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        concepts: list[list[list[Any]]] = [[] for _ in images]
        of_image = alone(len(images), blocks)
        batches = list(image_batches(of_image, GPU_IMAGES, device=device()))
        classified = spread(
            lambda nums: self.classify([images[num] for num in nums]), batches, device=device()
        )
        for nums, probabilities in zip(batches, classified, strict=True):
            vectors[nums] = self._space.carry(probabilities)
            for num, seen in zip(nums, likeliest(probabilities, class_names()), strict=True):
                concepts[num] = seen
        return Frames(vectors, concepts)

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """``(n, dim)`` unit rows that find frames; an empty text has a zero row."""
        return self._space.map_queries(self._text.encode(texts))

    def classify(self, images: Sequence[npt.NDArray[np.uint8]]) -> Floats:
        """``(n, 1000)`` calibrated class probabilities of BGR images."""
        logits: Floats = self._network(prepare(images)).numpy()
        return softmax(logits / TEMPERATURE)

    @cached_property
    def _network(self) -> QuickNetwork:
        return QuickNetwork(plain_network(), dtype=quick_dtype(self._precision), device=device())

    @cached_property
    def _space(self) -> ClassSpace:
        return ClassSpace.of(self._class_vectors())

    def _class_vectors(self) -> Floats:
        """``(1000, dim)`` embeddings of the class texts, from the cache where they are known."""
        path = self._cache / f"class-texts-{self._key()}.npy" if self._cache else None
        if path and path.exists():
            known: Floats = np.load(path, allow_pickle=False)
            return known
        vectors = self._text.encode(class_texts(), [0] * N_CLASSES)
        if path:
            _keep(vectors, path)
        return vectors

    def _key(self) -> str:
        # batches move the last bit: a cache of before would outlive the change
        shape = f"one block, batches of {TOKENS} tokens by {STEP}"
        made_of = "\n".join((self._text.identity, shape, *class_texts()))
        return hashlib.sha256(made_of.encode()).hexdigest()[:16]


def _keep(vectors: Floats, path: Path) -> None:
    """Write beside, then rename: several workers may do it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}-{uuid.uuid4().hex}.npy")
    np.save(beside, vectors, allow_pickle=False)
    os.replace(beside, path)
    log.info("the embeddings of %d class texts are kept in %s", len(vectors), path)

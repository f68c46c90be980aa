"""Encoders: one interface for what turns texts and frames into unit vectors, and their choice.

Nothing heavy is imported before an encoder is used, so what is known already costs no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.encoding.model_files import (
    EMBEDDED,
    ModelFiles,
    frame_weights_checksum,
    named_files,
    text_files,
)
from vidrec_tasks.errors import ModelError
from vidrec_tasks.hardware import quick_precision
from vidrec_tasks.settings import ContentSettings

if TYPE_CHECKING:
    from vidrec_tasks.content.encoding.two_towers import TwoTowers

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

FRAME_NAME: Final = "efficientnet-lite0"
CONSE_VERSION: Final = "conse-1"
"""Raised when class texts, calibration or crops change: frame vectors are then made again."""


@dataclass(frozen=True)
class Frames:
    """What a frame encoder says of images.

    Attributes:
        vectors: ``(n, dim)`` float32 unit rows.
        concepts: for each image ``[name, probability]`` pairs, likeliest first.
    """

    vectors: Floats
    concepts: list[list[list[Any]]]


class TextEncoder(Protocol):
    """Turns texts into vectors."""

    @property
    def identity(self) -> str:
        """Name, revision and precision: the same identity gives the same vectors."""

    @property
    def dim(self) -> int:
        """Width of a vector."""

    def encode(self, texts: Sequence[str], blocks: Sequence[int] | None = None) -> Floats:
        """``(n, dim)`` float32 unit rows; an empty text has a zero row.

        Args:
            texts: in any number.
            blocks: the block of each text. A text's last digits depend on its block and on nothing
                else; None: each text is a block of its own.
        """


class FrameEncoder(Protocol):
    """Turns images into vectors, and queries into vectors to compare them with."""

    @property
    def identity(self) -> str:
        """Name, revision and precision: the same identity gives the same vectors."""

    @property
    def dim(self) -> int:
        """Width of a vector."""

    def encode(self, images: Sequence[Image], blocks: Sequence[int] | None = None) -> Frames:
        """Vectors and concepts of BGR images ``(height, width, 3)``; blocks as for texts."""

    def encode_queries(self, texts: Sequence[str]) -> Floats:
        """``(n, dim)`` unit rows; their dot product with a frame's vector says how alike they are.

        An empty text has a zero row.
        """


class Encoders:
    """The text and the frame encoder that the settings name, loaded on first use.

    Args:
        settings: which encoders, in which precision, how many at once.
        cache: a folder to keep the embeddings of the 1,000 class texts in; None: they are made
            once for each `Encoders` (some seconds).
    """

    def __init__(self, settings: ContentSettings, *, cache: Path | None = None) -> None:
        self.settings = settings
        self.cache = cache

    @cached_property
    def text_identity(self) -> str:
        """The text encoder's identity; no model is loaded.

        Raises:
            ModelError: the encoder cannot be found.
        """
        files, prefix = self._text_files, self.settings.text_prefix
        identity = f"{files.name}@{files.revision}/{self._precision}"
        return f"{identity}+{prefix}" if prefix else identity

    @cached_property
    def frame_identity(self) -> str:
        """The frame encoder's identity; no model is loaded.

        Raises:
            ModelError: the encoder cannot be found.
        """
        files = self._frame_files
        if files is not None:
            return f"{files.name}@{files.revision}/{self._precision}"
        network = f"{FRAME_NAME}@{frame_weights_checksum()}/{self._precision}"
        return f"{CONSE_VERSION}:{network}:{self.text_identity}"

    @cached_property
    def text_dim(self) -> int:
        """Width of a text vector; no model is loaded."""
        return _dim(self._text_files)

    @cached_property
    def frame_dim(self) -> int:
        """Width of a frame vector; no model is loaded."""
        return self.text_dim if self._frame_files is None else _dim(self._frame_files)

    @property
    def is_one_space(self) -> bool:
        """Whether text and frame vectors can be compared with each other."""
        return self._frame_files is None or self._frame_files == self._text_files

    @cached_property
    def text(self) -> TextEncoder:
        """The text encoder.

        Raises:
            ModelError: it cannot be found or loaded.
        """
        if self._text_files.has_two_towers:
            return self._two_towers(self._text_files).as_text_encoder()
        from vidrec_tasks.content.encoding.text_encoders import TransformerTextEncoder

        return TransformerTextEncoder(
            self._text_files,
            self.text_identity,
            precision=self.settings.precision,
            batch_size=self.settings.batch_size,
            prefix=self.settings.text_prefix,
        )

    @cached_property
    def frame(self) -> FrameEncoder:
        """The frame encoder.

        Raises:
            ModelError: it cannot be found or loaded.
        """
        if self._frame_files is not None:
            return self._two_towers(self._frame_files)
        from vidrec_tasks.content.encoding.frame_encoders import ConseFrameEncoder

        return ConseFrameEncoder(
            self.text,
            self.frame_identity,
            precision=self.settings.precision,
            cache=self.cache,
        )

    @cached_property
    def _text_files(self) -> ModelFiles:
        return text_files(self.settings.text_encoder)

    @cached_property
    def _frame_files(self) -> ModelFiles | None:
        """The two towers that the frame encoder is; None: the embedded one."""
        if self.settings.frame_encoder == EMBEDDED:
            return None
        files = named_files(self.settings.frame_encoder)
        if not files.has_two_towers:
            message = (
                f"frame encoder {self.settings.frame_encoder!r}: does not embed texts along with "
                "pictures; "
                "name a CLIP or SigLIP model, or leave VIDREC_CONTENT__FRAME_ENCODER at 'embedded'"
            )
            raise ModelError(message)
        return files

    @cached_property
    def _precision(self) -> str:
        return quick_precision(self.settings.precision)

    @cached_property
    def _loaded(self) -> dict[ModelFiles, "TwoTowers"]:
        return {}

    def _two_towers(self, files: ModelFiles) -> "TwoTowers":
        """CLIP or SigLIP; once, when it is both text and frame encoder."""
        from vidrec_tasks.content.encoding.two_towers import TwoTowers

        if files not in self._loaded:
            self._loaded[files] = TwoTowers(
                files,
                f"{files.name}@{files.revision}/{self._precision}",
                precision=self.settings.precision,
                batch_size=self.settings.batch_size,
            )
        return self._loaded[files]


def _dim(files: ModelFiles) -> int:
    """Width of a model's vectors, as its configuration says."""
    written = files.config
    if "hidden_size" in written and not files.has_two_towers:
        return int(written["hidden_size"])
    from transformers import AutoConfig  # knows the other names, and what is left out

    config: Any = AutoConfig.from_pretrained(files.folder)
    if not files.has_two_towers:
        return int(config.hidden_size)
    # SigLIP's text tower projects to a width of its own; CLIP has one for both
    width = getattr(config.text_config, "projection_size", None)
    return int(width or config.projection_dim)

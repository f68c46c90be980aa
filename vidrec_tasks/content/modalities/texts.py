"""Text: what is written of a video, read by the text encoder."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.columns import VIDEO_ID, checksum_column
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.modality import Encoded, Known, Modality, Rows, checksum_of
from vidrec_tasks.content.video_texts import video_text
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]
_Key = tuple[str, str]
"""A video_id and the checksum of its text."""

log = logging.getLogger(__name__)


class ByTextEncoder:
    """What all modalities have in common that the text encoder reads."""

    def identity(self, encoders: Encoders) -> str:
        """The text encoder's."""
        return encoders.text_identity

    def space(self, encoders: Encoders) -> str:
        """That of the text encoder."""
        return encoders.text_identity

    def dim(self, encoders: Encoders) -> int:
        """The text encoder's."""
        return encoders.text_dim

    def encode_queries(self, texts: Sequence[str], encoders: Encoders) -> Floats:
        """See `Modality.encode_queries`."""
        return encoders.text.encode(texts)


class Text(ByTextEncoder):
    """Title, tags, categories and description.

    A modality that reads another text of a video overrides name, part, weight, counted and read.
    """

    name = "text"
    part = "title"
    moments = ""
    counted = "texts_encoded"

    def read(self, video: Mapping[Any, Any]) -> str:
        """The text of a video's row; '' where there is none."""
        return video_text(video)

    def weight(self, settings: ContentSettings) -> float:
        """The setting; the frames have the rest."""
        return settings.text_weight

    def encode(self, rows: Rows, encoders: Encoders, known: Known | None = None) -> Encoded:
        """See `Modality.encode`.

        What is known is known of the same video: a text that another block encoded has other
        digits.
        """
        texts = [self.read(row) for row in rows.videos.to_dict(orient="records")]
        checksums = [checksum_of(text) if text else "" for text in texts]
        keys: list[_Key] = list(zip(rows.videos[VIDEO_ID], checksums, strict=True))
        before = self._known(known)
        is_new = [bool(key[1]) and key not in before for key in keys]
        missing = {
            (block, checksum): text
            for block, checksum, text, new in zip(
                rows.blocks, checksums, texts, is_new, strict=True
            )
            if new
        }
        made = _encode(missing, encoders)
        vectors = np.zeros((len(texts), encoders.text_dim), dtype=np.float32)
        for num, (key, block, new) in enumerate(zip(keys, rows.blocks, is_new, strict=True)):
            if key[1]:
                vectors[num] = made[block, key[1]] if new else before[key]
        return Encoded(vectors, checksums, is_new, {self.counted: len(missing)})

    def _known(self, known: Known | None) -> dict[_Key, Floats]:
        if known is None:
            return {}
        columns = (known.table[name] for name in (VIDEO_ID, checksum_column(self.name)))
        return dict(zip(zip(*columns, strict=True), known.vectors, strict=True))


def _encode(
    texts: Mapping[tuple[int, str], str], encoders: Encoders
) -> dict[tuple[int, str], Floats]:
    """(block, checksum) -> the vector of that text."""
    if not texts:
        return {}
    log.info("%d texts to embed", len(texts))
    vectors = encoders.text.encode(list(texts.values()), [block for block, _ in texts])
    return dict(zip(texts, vectors, strict=True))


TEXT: Final[Modality] = Text()

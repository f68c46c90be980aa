"""What a modality is: one way of reading a video, from its rows to vectors.

`registry` names those that exist. Whoever works with them goes through them by name and asks each
for its weight, its encoder's identity and its words; none is written into the code that uses it.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import AT_S, LANGUAGE, PASSAGE_NUM, SOURCE, TEXT, VIDEO_ID
from vidrec_tasks.content.encoding.encoders import Encoders, Image
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]

PASSAGES: Final = [VIDEO_ID, PASSAGE_NUM, SOURCE, AT_S, LANGUAGE, TEXT]
"""Columns of passages, as the modalities read them."""


@dataclass(frozen=True)
class Rows:
    """The videos that are to be encoded, and what is known of them.

    Attributes:
        videos: the catalogue's rows, each video once.
        keyframes: video_id, checksum, frame_num, at_s, path, frame_hash; other videos' too.
        blocks: ``(n_videos,)`` what is encoded together (`TextEncoder.encode`).
        read_image: the BGR image ``(height, width, 3)`` at a keyframe's path.
        batch_size: things encoded at once.
        passages: video_id, passage_num, source, at_s, language, text; other videos' too.
    """

    videos: pd.DataFrame
    keyframes: pd.DataFrame
    blocks: Sequence[int]
    read_image: Callable[[str], Image]
    batch_size: int
    passages: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PASSAGES))


@dataclass(frozen=True)
class Moments:
    """Vectors of moments within videos, such as frames.

    Attributes:
        table: video_id, at_s of each moment, and what else its modality keeps of it.
        vectors: ``(n_moments, dim)`` float32 unit rows.
    """

    table: pd.DataFrame
    vectors: Floats

    def of(self, video_ids: pd.Series) -> "Moments":
        """Those of some videos."""
        kept = self.table[VIDEO_ID].isin(set(video_ids)).to_numpy()
        return Moments(self.table[kept].reset_index(drop=True), self.vectors[kept])


@dataclass(frozen=True)
class Known:
    """What the same encoder made of videos before.

    Attributes:
        table: the rows of `embeddings.Embeddings.table`.
        vectors: ``(n_videos, dim)`` the modality's vectors.
        moments: its moments, where it has any.
    """

    table: pd.DataFrame
    vectors: Floats
    moments: Moments | None = None


@dataclass(frozen=True)
class Encoded:
    """What a modality says of videos.

    Attributes:
        vectors: ``(n_videos, dim)`` float32 unit rows, or zero rows where there is nothing to read.
        checksums: for each video that of what its vector follows from; '' where there is nothing.
        is_new: for each video whether something was encoded for it now.
        counts: what was encoded, for the receipt.
        columns: further columns of the table, by name.
        moments: of the modality, when it has any.
    """

    vectors: Floats
    checksums: Sequence[str]
    is_new: Sequence[bool]
    counts: Mapping[str, int]
    columns: Mapping[str, pd.Series] = field(default_factory=dict)
    moments: Moments | None = None


class Modality(Protocol):
    """One way of reading a video. `tests.content.modality_suite` says what each must hold."""

    @property
    def name(self) -> str:
        """What its vectors, weight and columns are called by."""

    @property
    def part(self) -> str:
        """What readers are told when something was found or is alike by it."""

    @property
    def moments(self) -> str:
        """The artefact that holds the vectors of its moments; '' when it has a vector a video."""

    def weight(self, settings: ContentSettings) -> float:
        """What it counts in fusion against the others that a video has."""

    def identity(self, encoders: Encoders) -> str:
        """Of its encoder: the same identity gives the same vectors. No model is loaded."""

    def space(self, encoders: Encoders) -> str:
        """Names the space of its vectors; those in one space can be compared and summed."""

    def dim(self, encoders: Encoders) -> int:
        """Width of a vector; no model is loaded."""

    def encode(self, rows: Rows, encoders: Encoders, known: Known | None = None) -> Encoded:
        """Vectors of videos; what is known is not encoded again.

        A row's vector follows from the row, and in its last digits from its block; from no other.

        Args:
            rows: the videos.
            encoders: loaded only when something is to be encoded.
            known: what the encoder of this identity made before.
        """

    def encode_queries(self, texts: Sequence[str], encoders: Encoders) -> Floats:
        """``(n, dim)`` unit rows to compare with its vectors; an empty text has a zero row."""


def checksum_of(text: str) -> str:
    """20 hex digits of the hash of what a vector follows from."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]

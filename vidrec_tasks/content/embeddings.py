"""Embeddings: the vectors of a shard's videos, made only where a video or an encoder changed.

Leaves reading videos to `modalities`, the models to `encoders` and putting parts together to
`fusion`.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    CHECKSUM,
    VIDEO_ID,
    checksum_column,
    encoder_column,
    has_column,
)
from vidrec_tasks.content.encoding.batching import alone
from vidrec_tasks.content.encoding.encoders import Encoders, Image
from vidrec_tasks.content.fusion import fuse
from vidrec_tasks.content.modalities.modality import (
    PASSAGES,
    Encoded,
    Known,
    Modality,
    Moments,
    Rows,
    checksum_of,
)
from vidrec_tasks.content.modalities.registry import MODALITIES
from vidrec_tasks.contracts.parts import Parts
from vidrec_tasks.errors import MissingPart
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]

log = logging.getLogger(__name__)

CARD: Final = "card"
"""What a card is called among modalities; it is none, for it is written from what they read."""

MEDIA_CHECKSUM: Final = "media_checksum"
TABLE_OF_MOMENTS: Final = "{}_table"
VECTORS_OF_MOMENTS: Final = "{}_vectors"
"""Parts of an artefact that hold the moments of a modality."""


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of videos.

    Attributes:
        table: video_id, media_checksum ('' without frames), checksum (of all that the row's vectors
            follow from), one row a video; for each modality its checksum, encoder and whether the
            video has it; and what modalities add: concepts (list of ``[name, probability]``).
        vectors: modality -> ``(n_videos, dim)`` float32 unit rows; zero rows where there is none.
        fused: ``(n_videos, dim)`` likewise.
        moments: modality -> the moments within the videos, of those that have any.
    """

    table: pd.DataFrame
    vectors: Mapping[str, Floats]
    fused: Floats
    moments: Mapping[str, Moments]

    def to_parts(self) -> dict[str, Any]:
        """As the parts of an artefact."""
        parts: dict[str, Any] = {"table": self.table, **self.vectors, "fused": self.fused}
        for name, moments in self.moments.items():
            parts[TABLE_OF_MOMENTS.format(name)] = moments.table
            parts[VECTORS_OF_MOMENTS.format(name)] = moments.vectors
        return parts

    @classmethod
    def from_parts(cls, parts: Parts) -> "Embeddings":
        """From the parts of an artefact; it may be older than a modality."""
        vectors: dict[str, Floats] = {}
        moments: dict[str, Moments] = {}
        for modality in MODALITIES:
            name = modality.name
            with suppress(MissingPart):
                vectors[name] = parts.array(name)
                if modality.moments:
                    moments[name] = Moments(
                        parts.table(TABLE_OF_MOMENTS.format(name)),
                        parts.array(VECTORS_OF_MOMENTS.format(name)),
                    )
        return cls(parts.table(), vectors, parts.array("fused"), moments)

    def only(self, videos: npt.NDArray[np.bool_]) -> "Embeddings":
        """The rows of some videos ``(n_videos,)``."""
        kept = self.table[videos].reset_index(drop=True)
        return Embeddings(
            kept,
            {name: rows[videos] for name, rows in self.vectors.items()},
            self.fused[videos],
            {name: moments.of(kept[VIDEO_ID]) for name, moments in self.moments.items()},
        )

    def known_to(self, modality: Modality, identity: str) -> Known | None:
        """What an encoder of this identity made; None when nothing tells of the modality."""
        name, column = modality.name, encoder_column(modality.name)
        if name not in self.vectors or column not in self.table:
            return None
        rows = self.table[column] == identity
        mine = self.only((rows & self.table[has_column(name)]).to_numpy(dtype=bool))
        return Known(mine.table, mine.vectors[name], mine.moments.get(name))


def fuse_with_cards(
    vectors: Mapping[str, Floats], cards: Floats, encoders: Encoders, settings: ContentSettings
) -> Floats:
    """``(n, dim)`` what `embed_videos` fused, with cards beside the modalities.

    Args:
        vectors: modality -> ``(n, its dim)``.
        cards: ``(n, dim)`` by the text encoder; zero rows where there is no card.
        encoders: which encoders made them; no model is loaded.
        settings: weights.
    """
    weights = {modality.name: modality.weight(settings) for modality in MODALITIES}
    spaces = {modality.name: modality.space(encoders) for modality in MODALITIES}
    return fuse(
        {**vectors, CARD: cards},
        {**weights, CARD: settings.card_weight},
        spaces={**spaces, CARD: encoders.text_identity},
    )


def join(parts: Sequence[Embeddings]) -> Embeddings:
    """Embeddings of the same modalities and widths, one after the other (at least one)."""
    vectors = [{**part.vectors, "fused": part.fused} for part in parts]
    joined = {name: np.concatenate([rows[name] for rows in vectors]) for name in vectors[0]}
    moments = {
        name: Moments(
            pd.concat([part.moments[name].table for part in parts], ignore_index=True),
            np.concatenate([part.moments[name].vectors for part in parts]),
        )
        for name in parts[0].moments
    }
    table = pd.concat([part.table for part in parts], ignore_index=True)
    return Embeddings(table, joined, joined.pop("fused"), moments)


def embed_videos(
    videos: pd.DataFrame,
    keyframes: pd.DataFrame,
    encoders: Encoders,
    settings: ContentSettings,
    *,
    read_image: Callable[[str], Image],
    passages: pd.DataFrame | None = None,
    known: Embeddings | None = None,
    blocks: npt.NDArray[np.int64] | None = None,
) -> tuple[Embeddings, dict[str, int]]:
    """Embed videos: what is known of one for these encoders is not embedded again.

    Args:
        videos: the catalogue's rows, each video once.
        keyframes: video_id, checksum, frame_num, at_s, path, frame_hash; other videos' are left.
        encoders: loaded only when something is to be embedded.
        settings: weights of the modalities, frames at once.
        read_image: the BGR image ``(height, width, 3)`` at a keyframe's path.
        passages: what is said and written (`modality.PASSAGES`); other videos' are left.
        known: embeddings of an earlier night.
        blocks: ``(n_videos,)`` whose texts are encoded together (`TextEncoder.encode`); a film is
            always a block of its own.

    Returns:
        The embeddings, in the order of ``videos``, and counts: videos, what each modality encoded,
        reused (videos for which nothing was encoded).
    """
    of_video = alone(len(videos), None if blocks is None else blocks.tolist())
    passages = pd.DataFrame(columns=PASSAGES) if passages is None else passages
    rows = Rows(videos, keyframes, of_video, read_image, settings.batch_size, passages)
    made: dict[str, Encoded] = {}
    for modality in MODALITIES:
        before = known.known_to(modality, modality.identity(encoders)) if known else None
        made[modality.name] = modality.encode(rows, encoders, before)
    vectors = {name: encoded.vectors for name, encoded in made.items()}
    fused = fuse(
        vectors,
        {modality.name: modality.weight(settings) for modality in MODALITIES},
        spaces={modality.name: modality.space(encoders) for modality in MODALITIES},
    )
    moments = {name: encoded.moments for name, encoded in made.items() if encoded.moments}
    table = _table(rows, made, encoders, settings)
    return Embeddings(table, vectors, fused, moments), _counts(made, len(videos))


def _counts(made: Mapping[str, Encoded], n_videos: int) -> dict[str, int]:
    is_new = zip(*(encoded.is_new for encoded in made.values()), strict=True)
    counts = {"videos": n_videos}
    for encoded in made.values():
        counts |= encoded.counts
    counts["reused"] = n_videos - sum(map(any, is_new))
    log.info("%d of %d videos were known already", counts["reused"], n_videos)
    return counts


def _table(
    rows: Rows, made: Mapping[str, Encoded], encoders: Encoders, settings: ContentSettings
) -> pd.DataFrame:
    video_ids = rows.videos[VIDEO_ID].tolist()
    identities = {modality.name: modality.identity(encoders) for modality in MODALITIES}
    weights = {modality.name: modality.weight(settings) for modality in MODALITIES}
    checksums = zip(*(encoded.checksums for encoded in made.values()), strict=True)
    made_of = [json.dumps([identities, weights, own]) for own in checksums]
    columns = {
        VIDEO_ID: pd.Series(video_ids, dtype="str"),
        MEDIA_CHECKSUM: _media_checksums(video_ids, rows.keyframes),
        CHECKSUM: pd.Series([checksum_of(text) for text in made_of], dtype="str"),
    }
    for name, encoded in made.items():
        own = pd.Series(list(encoded.checksums), dtype="str")
        identity = pd.Series([identities[name]] * len(video_ids), dtype="str")
        columns |= {
            checksum_column(name): own,
            encoder_column(name): identity,
            has_column(name): (own != "").astype(bool),
            **encoded.columns,
        }
    return pd.DataFrame(columns)


def _media_checksums(video_ids: Sequence[str], keyframes: pd.DataFrame) -> pd.Series:
    """The checksum of each video's film; '' where no frame of it is kept."""
    films = dict(zip(keyframes[VIDEO_ID], keyframes[CHECKSUM], strict=True))
    return pd.Series([films.get(video_id, "") for video_id in video_ids], dtype="str")

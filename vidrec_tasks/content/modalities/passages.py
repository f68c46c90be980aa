"""Passages: what is said in a video and what is written on its screen, read by the text encoder."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    CHECKSUM,
    LANGUAGE,
    PASSAGE_NUM,
    SOURCE,
    TEXT,
    VIDEO_ID,
)
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.content.modalities.modality import (
    Encoded,
    Known,
    Modality,
    Moments,
    Rows,
    checksum_of,
)
from vidrec_tasks.content.modalities.texts import ByTextEncoder
from vidrec_tasks.content.texts.tracks import SAID, SCREEN
from vidrec_tasks.settings import ContentSettings

Floats = npt.NDArray[np.float32]

COLUMNS: Final = [VIDEO_ID, PASSAGE_NUM, AT_S, LANGUAGE, TEXT]
"""Columns of the moments, beside the checksum of the video's passages."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Passages(ByTextEncoder):
    """Passages of some sources; a video's vector is the mean direction of those in its language.

    Attributes:
        name: see `Modality`.
        sources: of passages, see `content.texts.tracks`.
    """

    name: str
    sources: tuple[str, ...]

    @property
    def part(self) -> str:
        """What readers are told."""
        return self.name

    @property
    def moments(self) -> str:
        """The artefact of the passages."""
        return self.name

    def weight(self, settings: ContentSettings) -> float:
        """The setting of its name."""
        return float(getattr(settings, f"{self.name}_weight"))

    def encode(self, rows: Rows, encoders: Encoders, known: Known | None = None) -> Encoded:
        """See `Modality.encode`; the passages of a video are a block of their own."""
        video_ids = rows.videos[VIDEO_ID].tolist()
        own = _of_sources(rows.passages, self.sources, video_ids)
        checksums = {video_id: _checksum(table) for video_id, table in own.items()}
        before = _known(known, checksums)
        fresh = {video_id: own[video_id] for video_id in own if video_id not in before}
        made = {**before, **self._encode(fresh, encoders)}
        vectors = np.zeros((len(video_ids), encoders.text_dim), dtype=np.float32)
        for num, video_id in enumerate(video_ids):
            if video_id in made:
                vectors[num] = _pooled(own[video_id], made[video_id])
        tables = [own[v].assign(**{CHECKSUM: checksums[v]}) for v in video_ids if v in own]
        parts = [made[v] for v in video_ids if v in own]
        return Encoded(
            vectors,
            [checksums.get(video_id, "") for video_id in video_ids],
            [video_id in fresh for video_id in video_ids],
            {f"{self.name}_encoded": sum(map(len, fresh.values()))},
            moments=Moments(
                pd.concat([_no_passages(), *tables], ignore_index=True),
                np.concatenate([np.zeros((0, encoders.text_dim), np.float32), *parts]),
            ),
        )  # fmt: skip

    def _encode(self, fresh: dict[str, pd.DataFrame], encoders: Encoders) -> dict[str, Floats]:
        """Video -> ``(n_passages, dim)``."""
        texts = [text for table in fresh.values() for text in table[TEXT]]
        if not texts:
            return {}
        log.info("%d passages of %d videos to embed (%s)", len(texts), len(fresh), self.name)
        blocks = [num for num, table in enumerate(fresh.values()) for _ in range(len(table))]
        vectors = encoders.text.encode(texts, blocks)
        bounds = np.cumsum([0, *map(len, fresh.values())])
        pairs = zip(fresh, bounds, bounds[1:], strict=False)
        return {video_id: vectors[first:last] for video_id, first, last in pairs}


def _of_sources(
    passages: pd.DataFrame, sources: tuple[str, ...], video_ids: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Video -> its passages of some sources, in order; none where it has none."""
    kept = passages[passages[SOURCE].isin(sources) & passages[VIDEO_ID].isin(set(video_ids))]
    return {
        str(video_id): table[COLUMNS].sort_values(PASSAGE_NUM, ignore_index=True)
        for video_id, table in kept.groupby(VIDEO_ID)
    }


def _checksum(table: pd.DataFrame) -> str:
    rows = table[[PASSAGE_NUM, AT_S, LANGUAGE, TEXT]].itertuples(index=False)
    return checksum_of("\n".join(f"{row[0]}\t{row[1]:.3f}\t{row[2]}\t{row[3]}" for row in rows))


def _known(known: Known | None, checksums: dict[str, str]) -> dict[str, Floats]:
    """Video -> the vectors of its passages, where these are the same as before."""
    if known is None or known.moments is None or CHECKSUM not in known.moments.table:
        return {}
    table = known.moments.table
    nums = table.groupby(VIDEO_ID).indices
    return {
        video_id: known.moments.vectors[rows]
        for video_id, checksum in checksums.items()
        if (rows := nums.get(video_id)) is not None and table[CHECKSUM].iloc[rows[0]] == checksum
    }


def _pooled(table: pd.DataFrame, vectors: Floats) -> Floats:
    """The mean direction of the passages in the language of the first: the encoder knows few."""
    in_language = (table[LANGUAGE] == table[LANGUAGE].iloc[0]).to_numpy()
    pooled: Floats = to_unit(vectors[in_language].mean(axis=0, keepdims=True))[0]
    return pooled


def _no_passages() -> pd.DataFrame:
    kinds = {name: "str" for name in (VIDEO_ID, LANGUAGE, TEXT, CHECKSUM)}
    columns = {**kinds, PASSAGE_NUM: "int64", AT_S: "float64"}
    order = [*COLUMNS, CHECKSUM]
    return pd.DataFrame({name: pd.Series(dtype=columns[name]) for name in order})


SAYS: Final[Modality] = Passages("said", SAID)
WRITES: Final[Modality] = Passages("written", (SCREEN,))

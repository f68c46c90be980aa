"""What the texts of a shard are read from: its films, the night before, and the keys of both."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vidrec_tasks.columns import CHECKSUM, LOOK, MTIME_NS, SIZE, URI, VIDEO_ID
from vidrec_tasks.content.decoding.process import CHANGED
from vidrec_tasks.content.texts.films import PASSING, FilmFile
from vidrec_tasks.content.texts.passages import listed_words
from vidrec_tasks.content.texts.tracks import CAPTIONS, SCREEN, SPEECH, Known, Track, known_of
from vidrec_tasks.running.job import Context, shards_left
from vidrec_tasks.stamps import ChangedError
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.media import MISSING, Media

WAYS: Final = {CAPTIONS: 2, LOOK: 2, SPEECH: 2, SCREEN: 2}
"""Rises where the same bytes and settings give other texts than before."""

AT_ONCE: Final = 32
"""Films of a remote store that are copied to this machine together."""


@dataclass(frozen=True)
class FilmOf:
    """A video's media file, as `extract_keyframes` found it."""

    uri: str
    checksum: str
    size: int
    mtime_ns: int


def films_of(context: Context) -> dict[str, FilmOf]:
    """Video -> its film, of those that could be read."""
    media = context.read_table(context.own("keyframes"), "media")
    media = media[media[CHECKSUM] != ""]
    columns = [media[name] for name in (VIDEO_ID, URI, CHECKSUM, SIZE, MTIME_NS)]
    return {row[0]: FilmOf(*row[1:]) for row in zip(*columns, strict=True)}


def known_before(context: Context) -> Known:
    """What the night that features are taken from has read, under words that are blocked still."""
    parent = context.parent("features")
    if parent is None:
        return {}
    before = parent.record.settings.get("texts", {}).get("blocked_words", "")
    if _folded(before) - _folded(context.settings.texts.blocked_words):
        return {}  # what is no longer covered is not there to be uncovered
    known: dict[str, Sequence[Track]] = {}
    for name in shards_left(parent, context.run, "texts", context.shard):
        known |= known_of(
            parent.read_table(name), parent.read_table(name, "tracks"), (*PASSING, MISSING)
        )
    return known


def _folded(words: str) -> set[str]:
    return {word.casefold() for word in listed_words(words)}


def media_of(context: Context) -> Media:
    """What finds the media files of the store."""
    return Media(context.store, context.settings.content.media_root)


def brought(
    context: Context, films: Mapping[str, FilmOf]
) -> Iterator[tuple[dict[str, FilmFile], dict[str, str]]]:
    """Yield films by checksum, some at once: files to open here, and why others cannot be."""
    media = media_of(context)
    checksums = list(films)
    size = len(checksums) if media.is_local else AT_ONCE
    for first in range(0, len(checksums), max(size, 1)):
        with tempfile.TemporaryDirectory(prefix="vidrec-texts-") as workspace:
            some = checksums[first : first + size]
            files = {c: _file_of(media, c, films[c], Path(workspace)) for c in some}
            yield (
                {c: file for c, file in files.items() if isinstance(file, FilmFile)},
                {c: problem for c, problem in files.items() if isinstance(problem, str)},
            )


def _file_of(media: Media, checksum: str, film: FilmOf, workspace: Path) -> FilmFile | str:
    file = media.find(film.uri)
    if file.path is None:
        return file.problem
    if (file.size, file.mtime_ns) != (film.size, film.mtime_ns):
        return CHANGED
    try:
        return FilmFile(
            media.bring(file.path, workspace / f"{checksum}.film", checksum), file.stamp
        )
    except ChangedError:
        return CHANGED


def seconds_of(value: Any) -> float:
    """A duration as the catalogue has it; 0 where it has none."""
    return float(value) if value is not None and np.isfinite(value) and value > 0 else 0.0


def key_for(source: str, **made_of: Any) -> str:
    """The key of a track: of all that its passages follow from."""
    return key_of({"source": source, "way": WAYS[source], **made_of})[:20]

"""Captions of a shard: from the catalogue's column and the files beside the films."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    CHECKSUM,
    DURATION_S,
    MTIME_NS,
    NAME,
    REFUSED,
    SIZE,
    TRANSCRIPT,
    URI,
    VIDEO_ID,
)
from vidrec_tasks.content.texts.captions import (
    SUFFIXES,
    CaptionError,
    parse_captions,
    read_captions,
)
from vidrec_tasks.content.texts.languages import FLAGS, is_tag
from vidrec_tasks.content.texts.passages import Cue, split_text
from vidrec_tasks.content.texts.tracks import (
    CAPTIONS,
    LEFT,
    NOTHING,
    READ,
    Known,
    Passage,
    Track,
    captions_track,
)
from vidrec_tasks.jobs.shared.videos import shard_videos
from vidrec_tasks.jobs.texts.features import key_for, media_of, seconds_of
from vidrec_tasks.running.job import Context, shards_left
from vidrec_tasks.settings import TextSettings
from vidrec_tasks.store.media import MediaFile
from vidrec_tasks.store.sidecars import Sidecars, read_small

IN_COLUMN: Final = "transcript"
"""Name of the track of the catalogue's own column."""

MIB: Final = 1 << 20
FILE_COLUMNS: Final = [VIDEO_ID, NAME, SIZE, MTIME_NS, CHECKSUM]


def caption_files(context: Context) -> dict[str, dict[str, MediaFile]]:
    """Video -> name -> caption file: what the column names, then what lies beside the film."""
    return _caption_files(context, shard_videos(context), _transcripts(context))


def _caption_files(
    context: Context, videos: pd.DataFrame, named: Mapping[str, str]
) -> dict[str, dict[str, MediaFile]]:
    media = media_of(context)
    sidecars = Sidecars(media, SUFFIXES, is_tag)
    found: dict[str, dict[str, MediaFile]] = {}
    for video_id, uri in zip(videos[VIDEO_ID], videos[URI], strict=True):
        own: dict[str, MediaFile] = {}
        if _is_path(text := named.get(video_id, "")):
            own[text] = media.find(text)
        if uri:
            own |= sidecars.of(media.find(uri))
        if own:
            found[video_id] = own
    return found


def read_captions_of(
    context: Context, videos: pd.DataFrame, known: Known
) -> tuple[dict[str, list[Track]], pd.DataFrame]:
    """Tracks of the column and of caption files by video, and the files they were read from."""
    if not context.settings.texts.captions:
        return {}, _file_table([])
    duration = {
        video_id: seconds_of(value)
        for video_id, value in zip(videos[VIDEO_ID], videos[DURATION_S], strict=True)
    }
    tracks: dict[str, list[Track]] = {}
    transcripts = _transcripts(context)
    for video_id, text in transcripts.items():
        if video_id in duration and not _is_path(text):
            tracks[video_id] = [_of_text(text, known, duration[video_id])]
    stamps = _stamps(context)
    films = dict(zip(videos[VIDEO_ID], videos[URI], strict=True))
    rows = []
    for video_id, files in _caption_files(context, videos, transcripts).items():
        for name, file in files.items():
            stamp = (video_id, name, file.size, file.mtime_ns)
            track, checksum = _of_file(
                name, file, context.settings.texts, known, stamps.get(stamp, ""),
                duration[video_id], tag=_tag_of(name, str(films[video_id] or "")),
            )  # fmt: skip
            tracks.setdefault(video_id, []).append(track)
            rows.append((*stamp, checksum))
    return tracks, _file_table(rows)


def _transcripts(context: Context) -> dict[str, str]:
    table = context.read_table("transcripts")
    return dict(zip(table[VIDEO_ID], table[TRANSCRIPT], strict=True))


def _is_path(text: str) -> bool:
    return "\n" not in text and len(text) < 1_024 and text.lower().endswith(SUFFIXES)


def _file_table(rows: Sequence[tuple[Any, ...]]) -> pd.DataFrame:
    kinds = {VIDEO_ID: "str", NAME: "str", SIZE: "int64", MTIME_NS: "int64", CHECKSUM: "str"}
    return pd.DataFrame(rows, columns=FILE_COLUMNS).astype(kinds)


def _stamps(context: Context) -> dict[tuple[Any, ...], str]:
    """Video, name, size and time of the caption files of the night before -> their checksum."""
    parent = context.parent("features")
    if parent is None:
        return {}
    found: dict[tuple[Any, ...], str] = {}
    for name in shards_left(parent, context.run, "texts", context.shard):
        rows = parent.read_table(name, "files")[FILE_COLUMNS].itertuples(index=False)
        found |= {tuple(row)[:4]: row[4] for row in rows if row[4]}
    return found


def _of_text(text: str, known: Known, film_s: float) -> Track:
    """The track of a transcript that the catalogue holds itself."""
    key = key_for(CAPTIONS, text=text, film_s=film_s)
    if key in known and known[key][0].state != LEFT:
        return known[key][0]
    if "-->" not in text:
        return replace(captions_track(IN_COLUMN, key, ()), **_plain(split_text(text)))
    try:
        return captions_track(IN_COLUMN, key, parse_captions(text, IN_COLUMN, film_s=film_s))
    except CaptionError as error:
        return Track(CAPTIONS, IN_COLUMN, key, REFUSED, str(error))


def _plain(passages: Sequence[Cue]) -> dict[str, Any]:
    own = tuple(map(Passage, passages))
    track = captions_track(IN_COLUMN, "", passages)
    return {"passages": own, "state": READ if own else NOTHING, "language": track.language}


def _of_file(
    name: str,
    file: MediaFile,
    texts: TextSettings,
    known: Known,
    checksum: str,
    film_s: float,
    *,
    tag: str,
) -> tuple[Track, str]:
    """The track of a caption file, and the file's checksum; '' where it could not be read."""
    if checksum:
        before = known.get(key_for(CAPTIONS, name=name, checksum=checksum, film_s=film_s))
        if before and before[0].state != LEFT:
            return before[0], checksum
    data, problem = read_small(file, max_bytes=int(texts.max_caption_mb * MIB))
    if problem:
        return Track(CAPTIONS, name, "", REFUSED, problem), ""
    checksum = hashlib.sha256(data).hexdigest()
    key = key_for(CAPTIONS, name=name, checksum=checksum, film_s=film_s)
    try:
        cues = read_captions(data, name, film_s=film_s)
    except CaptionError as error:
        return Track(CAPTIONS, name, key, REFUSED, str(error)), checksum
    return captions_track(name, key, cues, tag), checksum


def _tag_of(name: str, uri: str) -> str:
    """The language that a name tells of, behind the name of its film: that of Meet.Ben.mp4 is none.

    ``uri``: of the film; '' not known.
    """
    film = uri.rsplit("/", 1)[-1]
    stems = [stem for stem in (film, film.rsplit(".", 1)[0]) if stem]
    own = next((name[len(stem) :] for stem in stems if name.startswith(f"{stem}.")), name)
    tokens = own.split(".")[1:-1]
    return next((token for token in reversed(tokens) if token.lower() not in FLAGS), "")

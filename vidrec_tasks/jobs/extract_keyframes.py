"""extract_keyframes: look at a shard's new and changed films; quarantine what is broken."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    CHECKSUM,
    FRAME_HASH,
    FRAME_LUMA,
    FRAME_NUM,
    MTIME_NS,
    PATH,
    REASON,
    SHARPNESS,
    SIZE,
    SOUND,
    URI,
    VIDEO_ID,
)
from vidrec_tasks.content.decoding.keyframes import Extraction
from vidrec_tasks.content.decoding.keyframes import extract_keyframes as extract
from vidrec_tasks.content.decoding.process import CHANGED, PASSING
from vidrec_tasks.hardware import cores
from vidrec_tasks.jobs.shared.videos import shard_videos
from vidrec_tasks.running.job import Context, Made, job, shards_left
from vidrec_tasks.settings import ContentSettings
from vidrec_tasks.stamps import ChangedError
from vidrec_tasks.store.artefacts import key_of
from vidrec_tasks.store.keyframe_folders import KeyframeFolders
from vidrec_tasks.store.media import GIB, Media, MediaFile, checksum_file, unreadable

MEDIA_COLUMNS = [VIDEO_ID, URI, SIZE, MTIME_NS, CHECKSUM]
FRAME_COLUMNS = [
    VIDEO_ID, CHECKSUM, FRAME_NUM, AT_S, PATH, SHARPNESS, FRAME_HASH, FRAME_LUMA,
    SOUND,
]  # fmt: skip

FETCHED_AT_ONCE = 32
"""Films of a remote store that are copied to this machine together."""

WAY_VERSION = 5
"""Rises when the same settings choose other frames than before."""


def media_state(context: Context) -> Any:
    """What the file system says of the shard's media: a changed file makes the job run again."""
    return [(video_id, found.size, found.mtime_ns, found.problem)
            for video_id, found in _media(context).items()]  # fmt: skip


@job(state=media_state)
def extract_keyframes(context: Context) -> Made:
    """Decode each film once: what was decoded in this way before is found by its checksum."""
    videos = shard_videos(context)
    found = _media(context)
    media = _checksums(context, videos, found)
    folders = KeyframeFolders(context.store, decode_way(context.settings.content))
    known_failures = _known_failures(context)
    files = {uri: found[video] for video, uri in zip(media[VIDEO_ID], media[URI], strict=True)}
    frames, failures, n_decoded = _frames(context, media, files, folders, known_failures)
    table = media[[VIDEO_ID, CHECKSUM]].merge(frames, on=CHECKSUM)[FRAME_COLUMNS]
    table = table.sort_values([VIDEO_ID, FRAME_NUM], ignore_index=True)
    quarantine = _quarantine(media, found, failures)
    counts = {
        "videos": len(videos),
        "with_media": int((videos[URI] != "").sum()),
        "decoded": n_decoded,
        "frames": len(table),
        "quarantined": len(quarantine),
    }
    parts = {"table": table, "quarantine": quarantine, "media": media}
    return Made({context.own("keyframes"): parts}, counts)


def decode_way(settings: ContentSettings) -> str:
    """A short hash of the settings that decide what a film's keyframes are."""
    names = ("n_keyframes", "keyframe_mode", "decode_timeout_s", "max_pixels",
             "decode_memory_mb", "thumbnail_px")  # fmt: skip
    values = {name: getattr(settings, name) for name in names}
    return key_of({"version": WAY_VERSION, **values})[:8]


def _media(context: Context) -> dict[str, MediaFile]:
    media = Media(context.store, context.settings.content.media_root)
    videos = shard_videos(context)
    with_media = videos[videos[URI] != ""]
    pairs = zip(with_media[VIDEO_ID], with_media[URI], strict=True)
    most_gib = context.settings.content.max_media_gib
    return {video_id: _of_size(media.find(uri), most_gib) for video_id, uri in pairs}


def _of_size(file: MediaFile, most_gib: float) -> MediaFile:
    """The file, or why it is not even read: it may be a few blocks that claim to be terabytes."""
    if file.size <= most_gib * GIB:
        return file
    problem = f"media file is too large ({file.size / GIB:,.1f} GiB, at most {most_gib:g})"
    return MediaFile(None, problem=problem)


def _checksums(context: Context, videos: pd.DataFrame, found: dict[str, MediaFile]) -> pd.DataFrame:
    """The checksum of every film; a file of known size and time is not read again."""
    uris = videos.set_index(VIDEO_ID)[URI]
    known = _parent_part(context, "media")
    seen = {tuple(row[:3]): row[3] for row in known[MEDIA_COLUMNS[1:]].itertuples(index=False)}

    def row(video_id: str) -> tuple[str, str, int, int, str]:
        file = found[video_id]
        if file.path is None:
            return (video_id, uris[video_id], -1, -1, "")
        stamp = (uris[video_id], file.size, file.mtime_ns)
        try:
            return (video_id, *stamp, seen.get(stamp) or checksum_file(file))
        except ChangedError:  # one film's row, not a night
            found[video_id] = MediaFile(None, problem=CHANGED)
        except OSError as error:
            found[video_id] = MediaFile(None, problem=unreadable(error))
        return (video_id, uris[video_id], -1, -1, "")

    with ThreadPoolExecutor(cores(context.settings.threads)) as pool:  # hashing frees the GIL
        rows = list(pool.map(row, found))
    return pd.DataFrame(rows, columns=MEDIA_COLUMNS).astype(
        {VIDEO_ID: str, URI: str, CHECKSUM: str, SIZE: "int64", MTIME_NS: "int64"}
    )


def _frames(
    context: Context,
    media: pd.DataFrame,
    files: dict[str, MediaFile],
    folders: KeyframeFolders,
    known_failures: dict[str, str],
) -> tuple[pd.DataFrame, dict[str, str], int]:
    """Frames and failures by checksum, and how many films were decoded now."""
    root = Media(context.store, context.settings.content.media_root)
    uris = media[media[CHECKSUM] != ""].drop_duplicates(CHECKSUM).set_index(CHECKSUM)[URI]
    before = _frames_before(context, folders, set(uris.index))
    found = {c: folders.find(c) for c in uris.index.difference(pd.Index(before[CHECKSUM].unique()))}
    ready = {c: frames for c, frames in found.items() if frames is not None}
    failures = {c: known_failures[c] for c in found if c not in ready and c in known_failures}
    missing = [c for c in found if c not in ready and c not in failures]
    paths = {c: file for c in missing if (file := files[uris[c]]).path is not None}
    kept = [before, *ready.values()] if len(before) else list(ready.values())
    for some in _batches(paths, len(paths) if root.is_local else FETCHED_AT_ONCE):
        with folders.workspace() as workspace:
            films, changed = _brought(root, some, workspace)
            extraction: Extraction = extract(
                films,
                context.settings.content,
                workspace=workspace,
                stamps={checksum: list(file.stamp) for checksum, file in some.items()},
                n_processes=cores(context.settings.threads),
            )
            kept.append(folders.keep(extraction.frames, workspace))
        failures |= extraction.failures | changed
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in FRAME_COLUMNS[1:]})
    frames = pd.concat(kept, ignore_index=True) if kept else empty
    return frames, failures, len(paths)


def _brought(
    root: Media, files: dict[str, MediaFile], workspace: Path
) -> tuple[dict[str, Path], dict[str, str]]:
    """Films by checksum that can be opened here, and why others cannot."""
    films, changed = {}, {}
    for checksum, file in files.items():
        try:
            films[checksum] = root.bring(file.path, workspace / f"{checksum}.film", checksum)
        except ChangedError:
            changed[checksum] = CHANGED
    return films, changed


def _batches(paths: dict[str, MediaFile], size: int) -> Iterator[dict[str, MediaFile]]:
    """Yield the paths in parts: of a remote store only so many films lie on this machine's disk."""
    items = iter(paths.items())
    while some := dict(itertools.islice(items, size)):
        yield some


def _frames_before(context: Context, folders: KeyframeFolders, checksums: set[str]) -> pd.DataFrame:
    """The frames that the night before knew of these films, if they are still there.

    One table in place of a file a film: 2,000 films took 9 s of an unchanged night, now 0.1 s.
    """
    tables = _parent_parts(context, "table")
    if not tables:
        return pd.DataFrame(columns=FRAME_COLUMNS[1:])
    frames = pd.concat(tables, ignore_index=True)[FRAME_COLUMNS[1:]]
    is_same_way = frames[PATH].str.startswith(f"{folders.way}/")
    frames = frames[is_same_way & frames[CHECKSUM].isin(checksums)]
    there = {checksum for checksum in frames[CHECKSUM].unique() if folders.has(checksum)}
    # re-uploads of one film share its frames
    return frames[frames[CHECKSUM].isin(there)].drop_duplicates([CHECKSUM, FRAME_NUM])


def _quarantine(
    media: pd.DataFrame, found: dict[str, MediaFile], failures: dict[str, str]
) -> pd.DataFrame:
    """The videos whose media cannot be used, with the reason."""
    pairs = zip(media[VIDEO_ID], media[CHECKSUM], strict=True)
    problems = [found[video].problem or failures.get(checksum, "") for video, checksum in pairs]
    table = media[[VIDEO_ID, URI, CHECKSUM]].assign(**{REASON: pd.Series(problems, dtype=str)})
    return table[table[REASON] != ""].reset_index(drop=True)


def _known_failures(context: Context) -> dict[str, str]:
    """Films that failed before in this way of decoding and for good: retried when they change."""
    parent = context.parent("features")
    if parent is None:
        return {}
    settings = parent.record.settings["content"]
    if decode_way(ContentSettings(**settings)) != decode_way(context.settings.content):
        return {}
    quarantine = _parent_part(context, "quarantine")
    is_passing = quarantine[REASON].str.startswith(PASSING)
    quarantine = quarantine[(quarantine[CHECKSUM] != "") & ~is_passing.astype(bool)]
    return dict(zip(quarantine[CHECKSUM], quarantine[REASON], strict=True))


def _parent_part(context: Context, part: str) -> pd.DataFrame:
    """The same part of the run that tonight takes features from."""
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in [*MEDIA_COLUMNS, REASON]})
    return pd.concat([empty, *_parent_parts(context, part)], ignore_index=True)


def _parent_parts(context: Context, part: str) -> list[pd.DataFrame]:
    """The same part of the parent's shard, or of all of them where it was split otherwise."""
    parent = context.parent("features")
    if parent is None:
        return []
    names = shards_left(parent, context.run, "keyframes", context.shard)
    return [parent.read_table(name, part) for name in names]

"""read_texts: what is said in a shard's videos and written on their screens, as passages.

Captions come first; what has none is heard; keyframes are read. Each film and each caption file is
read once: what was read in the same way before is found by its key. The steps are in `jobs.texts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from vidrec_tasks.columns import DURATION_S, LANGUAGE, LOOK, REFUSED, VIDEO_ID
from vidrec_tasks.content.texts.languages import language_of
from vidrec_tasks.content.texts.passages import blocked_pattern
from vidrec_tasks.content.texts.tracks import (
    CAPTIONS,
    NOTHING,
    READ,
    SCREEN,
    SPEECH,
    WAITING,
    Known,
    Track,
    choose_captions,
    to_parts,
)
from vidrec_tasks.jobs.shared.videos import shard_videos
from vidrec_tasks.jobs.texts.captions import caption_files, read_captions_of
from vidrec_tasks.jobs.texts.features import FilmOf, films_of, known_before, seconds_of
from vidrec_tasks.jobs.texts.hearing import hear_films
from vidrec_tasks.jobs.texts.looks import look_at
from vidrec_tasks.jobs.texts.screens import read_screens
from vidrec_tasks.running.job import Context, Made, job


def caption_state(context: Context) -> Any:
    """What the file system says of the shard's caption files: a new one makes the job run again."""
    if not context.settings.texts.captions:
        return []
    return [
        (video_id, name, file.size, file.mtime_ns, file.problem)
        for video_id, files in caption_files(context).items()
        for name, file in files.items()
    ]


@job(state=caption_state)
def read_texts(context: Context) -> Made:
    """Read captions, look into films, hear those without captions, read keyframes."""
    videos = shard_videos(context)
    films = films_of(context)
    known = known_before(context)
    captions, files = read_captions_of(context, videos, known)
    looks = look_at(context, films, known, captions)
    tracks = _captioned(videos, films, captions, looks)
    heard = hear_films(context, videos, films, tracks, known)
    screens = read_screens(context, known)
    for video_id, film in films.items():
        more = (part.get(film.checksum) for part in (heard, screens))
        if video_id in tracks:
            tracks[video_id] += [track for track in more if track is not None]
    blocked = blocked_pattern(context.settings.texts.blocked_words)
    parts = {**to_parts(videos, tracks, blocked=blocked), "files": files}
    return Made({context.own("texts"): parts}, _counts(videos, tracks, known))


def _captioned(
    videos: pd.DataFrame,
    films: Mapping[str, FilmOf],
    captions: Mapping[str, Sequence[Track]],
    looks: Mapping[str, Sequence[Track]],
) -> dict[str, list[Track]]:
    """Video -> its captions, one track a language, with the look into its film."""
    tracks = {}
    columns = (videos[name] for name in (VIDEO_ID, DURATION_S, LANGUAGE))
    for video_id, duration, language in zip(*columns, strict=True):
        film = films.get(video_id)
        look = looks.get(film.checksum, ()) if film else ()
        own = [*captions.get(video_id, ()), *(_timely(track, duration) for track in look)]
        tracks[video_id] = choose_captions(own, language_of(str(language or "")))
    return tracks


def _timely(track: Track, duration: Any) -> Track:
    """The track of a look, as long as the catalogue says where the film itself does not."""
    is_blank = track.source == LOOK and not track.seconds
    return replace(track, seconds=seconds_of(duration)) if is_blank else track


def _counts(
    videos: pd.DataFrame, tracks: Mapping[str, Sequence[Track]], known: Known
) -> dict[str, Any]:
    every = [track for own in tracks.values() for track in own]

    def n_with(source: str, state: str) -> int:
        return sum(
            any(track.source == source and track.state == state for track in own)
            for own in tracks.values()
        )

    fresh = {track.key: track for track in every if track.key not in known}
    heard = [t for t in fresh.values() if t.source == SPEECH and t.state in (READ, NOTHING)]
    return {
        "videos": len(videos),
        "captioned": n_with(CAPTIONS, READ),
        "with_speech": n_with(SPEECH, READ),
        "without_speech": n_with(SPEECH, NOTHING),
        "with_screen_text": n_with(SCREEN, READ),
        "waiting": n_with(SPEECH, WAITING),
        "refused": sum(track.state == REFUSED for track in every),
        "heard": len(heard),
        "heard_hours": round(sum(track.seconds for track in heard) / 3_600, 4),
        "looked_into": sum(track.source == LOOK for track in fresh.values()),
        "screens_read": sum(track.source == SCREEN for track in fresh.values()),
        "passages": sum(len(track.passages) for track in every),
    }

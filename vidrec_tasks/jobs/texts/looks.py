"""Looks: whether the films of a shard have sound, and their streams of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from vidrec_tasks.columns import LOOK, REFUSED
from vidrec_tasks.content.texts.captions import CaptionError, clean_cues
from vidrec_tasks.content.texts.films import look_into
from vidrec_tasks.content.texts.streams import as_cues
from vidrec_tasks.content.texts.tracks import (
    CAPTIONS,
    LEFT,
    MAX_LANGUAGES,
    NOTHING,
    READ,
    Known,
    Track,
    captions_track,
)
from vidrec_tasks.hardware import cores
from vidrec_tasks.jobs.texts.features import FilmOf, brought, key_for
from vidrec_tasks.running.job import Context


def look_at(
    context: Context,
    films: Mapping[str, FilmOf],
    known: Known,
    captions: Mapping[str, Sequence[Track]],
) -> dict[str, list[Track]]:
    """Checksum -> the look of each film, with the tracks of its streams of text."""
    texts = context.settings.texts
    if not texts.captions and texts.speech_model == "none":
        return {}
    found: dict[str, list[Track]] = {}
    missing: dict[str, FilmOf] = {}
    for video_id, film in films.items():
        before = known.get(key_for(LOOK, checksum=film.checksum))
        if before is None or _is_wanting(before, captions.get(video_id, ())):
            missing[film.checksum] = film
        else:
            found[film.checksum] = list(before)
    for files, problems in brought(context, missing):
        answers = look_into(
            files, context.settings.content, n_processes=cores(context.settings.threads)
        )
        found |= {checksum: _of_look(checksum, answer) for checksum, answer in answers.items()}
        found |= {
            checksum: [Track(LOOK, "film", key_for(LOOK, checksum=checksum), REFUSED, problem)]
            for checksum, problem in problems.items()
        }
    return found


def _is_wanting(before: Sequence[Track], captions: Sequence[Track]) -> bool:
    """Whether a stream that was left, so that its passages are gone, would be taken now."""
    there = {t.language for t in (*before, *captions) if t.state == READ}
    return len(there) < MAX_LANGUAGES and any(
        track.state == LEFT and track.language not in there for track in before
    )


def _of_look(checksum: str, answer: Mapping[str, Any]) -> list[Track]:
    key = key_for(LOOK, checksum=checksum)
    if "failure" in answer:
        return [Track(LOOK, "film", key, REFUSED, str(answer["failure"]))]
    state = READ if answer["has_sound"] else NOTHING
    tracks = [Track(LOOK, "film", key, state, seconds=float(answer["film_s"]))]
    for stream in sorted(answer["tracks"], key=lambda stream: bool(stream["is_forced"])):
        try:
            cues = clean_cues(as_cues(stream["cues"]), film_s=float(answer["film_s"]))
        except CaptionError as error:
            reason = str(error).replace("caption file", "stream of captions")
            tracks.append(Track(CAPTIONS, stream["name"], key, REFUSED, reason))
        else:
            tracks.append(captions_track(stream["name"], key, cues, stream["tag"]))
    return tracks

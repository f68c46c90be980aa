"""Hearing: what is said in the films of a shard that have sound and no captions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from vidrec_tasks.columns import LOOK, PUBLISHED_AT, REFUSED, VIDEO_ID
from vidrec_tasks.content.encoding.model_files import ModelFiles, speech_files
from vidrec_tasks.content.texts.films import hear
from vidrec_tasks.content.texts.passages import Cue
from vidrec_tasks.content.texts.tracks import (
    CAPTIONS,
    READ,
    SPEECH,
    WAITING,
    Known,
    Track,
    captions_track,
)
from vidrec_tasks.content.texts.turns import Unheard, take_turns
from vidrec_tasks.hardware import cores
from vidrec_tasks.jobs.shared.videos import viewers_of
from vidrec_tasks.jobs.texts.features import FilmOf, brought, key_for
from vidrec_tasks.running.job import Context
from vidrec_tasks.settings import TextSettings

log = logging.getLogger(__name__)


def hear_films(
    context: Context,
    videos: pd.DataFrame,
    films: Mapping[str, FilmOf],
    tracks: Mapping[str, Sequence[Track]],
    known: Known,
) -> dict[str, Track]:
    """Checksum -> what is said in a film that has sound and no captions."""
    texts = context.settings.texts
    if texts.speech_model == "none":
        return {}
    mute = _mute(films, tracks)
    if not mute:
        return {}
    model = speech_files(texts.speech_model)
    keys = {checksum: _speech_key(checksum, model, texts) for checksum in mute}
    heard = {c: known[key][0] for c, key in keys.items() if key in known}
    unheard = {c: mute[c] for c in mute if c not in heard}
    if not unheard:
        return heard
    budget_s = texts.max_speech_hours * 3_600 / context.run.record.n_video_shards
    order = _in_turn(context, videos, films, unheard, texts)
    night = context.night.toordinal() + int(context.shard)
    turn = dict.fromkeys(take_turns(order, budget_s=budget_s, night=night))
    heard |= {c: Track(SPEECH, "sound", keys[c], WAITING) for c in unheard if c not in turn}
    by_checksum = {film.checksum: film for film in films.values()}
    for files, problems in brought(context, {c: by_checksum[c] for c in turn}):
        timed = {c: replace(file, film_s=unheard[c]) for c, file in files.items()}
        answers = hear(
            timed, model.folder, texts, max_pixels=context.settings.content.max_pixels,
            n_processes=cores(context.settings.threads),
        )  # fmt: skip
        heard |= {c: _of_speech(keys[c], answer) for c, answer in answers.items()}
        heard |= {c: Track(SPEECH, "sound", keys[c], REFUSED, problem)
                  for c, problem in problems.items()}  # fmt: skip
    log.info("%d of %d films heard, %d wait", len(turn), len(unheard), len(unheard) - len(turn))
    return heard


def _mute(films: Mapping[str, FilmOf], tracks: Mapping[str, Sequence[Track]]) -> dict[str, float]:
    """Checksum -> seconds of the films that have sound and whose words nobody wrote down."""
    found = {}
    for video_id, own in tracks.items():
        looks = [track for track in own if track.source == LOOK and track.state == READ]
        has_words = any(track.source == CAPTIONS and track.state == READ for track in own)
        if looks and not has_words and video_id in films:
            found[films[video_id].checksum] = looks[0].seconds
    return found


def _speech_key(checksum: str, model: ModelFiles, texts: TextSettings) -> str:
    return key_for(
        SPEECH, checksum=checksum, model=model.revision, language=texts.speech_language,
        most_s=texts.max_speech_s,
    )  # fmt: skip


def _in_turn(
    context: Context,
    videos: pd.DataFrame,
    films: Mapping[str, FilmOf],
    unheard: Mapping[str, float],
    texts: TextSettings,
) -> list[Unheard]:
    """The films that are to be heard, with what decides whose turn it is."""
    viewers = viewers_of(context)
    order: dict[str, Unheard] = {}
    for video_id, published in zip(videos[VIDEO_ID], videos[PUBLISHED_AT], strict=True):
        film = films.get(video_id)
        if film is None or film.checksum not in unheard:
            continue
        seconds = min(unheard[film.checksum] or texts.max_speech_s, texts.max_speech_s)
        moment = float("-inf") if pd.isna(published) else published.timestamp()
        other = order.get(film.checksum, Unheard(film.checksum, seconds))
        order[film.checksum] = replace(
            other,
            published=max(other.published, moment),
            n_viewers=max(other.n_viewers, viewers.get(video_id, 0)),
        )
    return list(order.values())


def _of_speech(key: str, answer: Mapping[str, Any]) -> Track:
    if "failure" in answer:
        return Track(SPEECH, "sound", key, REFUSED, str(answer["failure"]))
    cues = [Cue(float(a), float(b), str(text), float(c)) for a, b, text, c in answer["cues"]]
    track = captions_track("sound", key, cues, answer["language"])
    return replace(track, source=SPEECH, seconds=float(answer["heard_s"]))

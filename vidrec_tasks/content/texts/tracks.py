"""Tracks: what the texts of a video were read from, and how they become tables and come back."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import (
    AT_S,
    BOX,
    CONFIDENCE,
    DESCRIPTION,
    FRAME_NUM,
    KEY,
    LANGUAGE,
    NAME,
    PASSAGE_NUM,
    REASON,
    SECONDS,
    SOURCE,
    STATE,
    TEXT,
    TITLE,
    TRACK,
    UNTIL_S,
    VIDEO_ID,
)
from vidrec_tasks.content.texts.languages import detect, language_of
from vidrec_tasks.content.texts.passages import Cue, flat, group, mask, split_text

CAPTIONS: Final = "captions"
SPEECH: Final = "speech"
SCREEN: Final = "screen"
"""Sources of tracks; a look finds out whether a film has sound and streams of text."""
SAID: Final = (CAPTIONS, SPEECH)

READ: Final = "read"
NOTHING: Final = "nothing"
LEFT: Final = "left"
WAITING: Final = "waiting"
"""States: has passages; has none; another track of its language is taken, so that its passages are
not kept; its turn comes on a later night; cannot be read."""

MAX_LANGUAGES: Final = 4
USUAL: Final = "en"
DETECTED_CHARS: Final = 4_000

_TRACK_COLUMNS: Final = {
    VIDEO_ID: "str", TRACK: "int64", SOURCE: "str", NAME: "str", KEY: "str", STATE: "str",
    REASON: "str", LANGUAGE: "str", SECONDS: "float64",
}  # fmt: skip
_PASSAGE_COLUMNS: Final = {
    VIDEO_ID: "str", PASSAGE_NUM: "int64", TRACK: "int64", SOURCE: "str", AT_S: "float64",
    UNTIL_S: "float64", LANGUAGE: "str", CONFIDENCE: "float64", FRAME_NUM: "int64", BOX: "object",
    TEXT: "str",
}  # fmt: skip


@dataclass(frozen=True)
class Passage:
    """A piece of text with its place.

    Attributes:
        cue: text, seconds and confidence.
        frame_num: the keyframe it is read on; -1: it is not of a frame.
        box: left, top, right, bottom as shares of that frame.
    """

    cue: Cue
    frame_num: int = -1
    box: tuple[float, ...] = ()


@dataclass(frozen=True)
class Track:
    """One thing that texts were read from, or why they were not.

    Attributes:
        source: `CAPTIONS`, `SPEECH`, `SCREEN` or `LOOK`.
        name: of the file or the stream.
        key: of the bytes, the model and the settings that it follows from; not shown.
        state: see above.
        reason: why it is so; '' where there is nothing to say.
        language: in the shortest code; '' not known.
        seconds: of a look how long the film is, of speech how much was heard.
        passages: in order of time.
    """

    source: str
    name: str
    key: str
    state: str
    reason: str = ""
    language: str = ""
    seconds: float = 0.0
    passages: tuple[Passage, ...] = ()


Known = Mapping[str, Sequence[Track]]
"""Key -> the tracks that were read of it before."""


def captions_track(name: str, key: str, cues: Sequence[Cue], tag: str = "") -> Track:
    """A track of captions.

    Args:
        name: of the file or the stream.
        key: see `Track`.
        cues: in order of time.
        tag: what name or stream say of the language.
    """
    passages = tuple(Passage(cue) for cue in group(cues))
    words = " ".join(passage.cue.text for passage in passages)[:DETECTED_CHARS]
    language = language_of(tag) or detect(words)
    state = READ if passages else NOTHING
    return Track(CAPTIONS, name, key, state, language=language, passages=passages)


def choose_captions(tracks: Sequence[Track], wanted: str) -> list[Track]:
    """One track of each language, that of the catalogue first; the others are left.

    Args:
        tracks: of one video, the more trusted first.
        wanted: the video's language, '' not known.
    """
    usable = [track for track in tracks if track.state in (READ, LEFT) and track.passages]
    languages = list(dict.fromkeys(track.language for track in usable))
    languages.sort(key=lambda language: (language != wanted or not wanted, language != USUAL))
    first = {language: _first(usable, language) for language in languages[:MAX_LANGUAGES]}
    taken = list(first.values())
    rest = [
        replace(track, state=LEFT, reason="another track is taken", passages=())
        if track in usable
        else track
        for track in tracks
        if track not in taken
    ]
    return [*(replace(track, state=READ, reason="") for track in taken), *rest]


def to_parts(
    videos: pd.DataFrame,
    tracks: Mapping[str, Sequence[Track]],
    *,
    blocked: re.Pattern[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """The parts ``table`` and ``tracks`` of the artefact `texts`.

    Args:
        videos: video_id, title, description, language, in order.
        tracks: video_id -> its tracks.
        blocked: what finds words that may not be shown.
    """
    passages: list[tuple[Any, ...]] = []
    rows: list[tuple[Any, ...]] = []
    columns = [videos[name] for name in (VIDEO_ID, TITLE, DESCRIPTION, LANGUAGE)]
    for video_id, title, description, language in zip(*columns, strict=True):
        own = _written(title, description, language_of(str(language or "")))
        for num, track in enumerate(tracks.get(video_id, ())):
            rows.append(
                (video_id, num, track.source, track.name, track.key, track.state, track.reason,
                 track.language, track.seconds)
            )  # fmt: skip
            own += [
                (num, track.source, track.language, replace(passage, cue=_masked(passage, blocked)))
                for passage in track.passages
            ]
        for num, (track_num, source, language, passage) in enumerate(own):
            cue = passage.cue
            passages.append(
                (video_id, num, track_num, source, cue.at_s, cue.until_s, language, cue.confidence,
                 passage.frame_num, list(passage.box), cue.text)
            )  # fmt: skip
    return {
        "table": pd.DataFrame(passages, columns=list(_PASSAGE_COLUMNS)).astype(_PASSAGE_COLUMNS),
        "tracks": pd.DataFrame(rows, columns=list(_TRACK_COLUMNS)).astype(_TRACK_COLUMNS),
    }


def known_of(table: pd.DataFrame, tracks: pd.DataFrame, passing: tuple[str, ...]) -> Known:
    """The tracks of an earlier night by key; those that are to be tried again are left out.

    Args:
        table: the part ``table`` of `texts`.
        tracks: its part ``tracks``.
        passing: how reasons begin that say nothing of the file.
    """
    own: dict[tuple[str, int], list[Passage]] = {}
    for row in table[table[TRACK] >= 0].to_dict("records"):
        cue = Cue(row[AT_S], row[UNTIL_S], row[TEXT], row[CONFIDENCE])
        passage = Passage(cue, int(row[FRAME_NUM]), tuple(row[BOX]))
        own.setdefault((row[VIDEO_ID], int(row[TRACK])), []).append(passage)
    known: dict[str, dict[str, Track]] = {}
    for row in tracks.to_dict("records"):
        if row[STATE] == WAITING or str(row[REASON]).startswith(passing):
            continue
        passages = tuple(own.get((row[VIDEO_ID], int(row[TRACK])), ()))
        track = Track(
            row[SOURCE], row[NAME], row[KEY], row[STATE], row[REASON], row[LANGUAGE], row[SECONDS],
            passages,
        )  # fmt: skip
        known.setdefault(row[KEY], {}).setdefault(row[NAME], track)  # re-uploads have the same
    return {key: list(by_name.values()) for key, by_name in known.items()}


def _written(title: Any, description: Any, language: str) -> list[tuple[int, str, str, Passage]]:
    """What the catalogue says of a video; it is of no track and of no second."""
    nan = float("nan")
    parts = [(TITLE, [Cue(nan, nan, flat(str(title)))] if isinstance(title, str) else [])]
    parts.append((DESCRIPTION, split_text(description) if isinstance(description, str) else []))
    return [
        (-1, source, language, Passage(cue)) for source, cues in parts for cue in cues if cue.text
    ]


def _masked(passage: Passage, blocked: re.Pattern[str] | None) -> Cue:
    return replace(passage.cue, text=mask(passage.cue.text, blocked))


def _first(tracks: Iterable[Track], language: str) -> Track:
    return next(track for track in tracks if track.language == language)

"""Screens: what is written on the keyframes of a shard's films."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

import pandas as pd

from vidrec_tasks.columns import AT_S, CHECKSUM, FRAME_NUM, PATH
from vidrec_tasks.content.texts.passages import Cue
from vidrec_tasks.content.texts.screens import Image, ScreenReader, read_frames, screen_identity
from vidrec_tasks.content.texts.tracks import NOTHING, READ, SCREEN, Known, Passage, Track
from vidrec_tasks.hardware import cores
from vidrec_tasks.jobs.shared.images import Images
from vidrec_tasks.jobs.texts.features import key_for
from vidrec_tasks.running.job import Context


class Frame(NamedTuple):
    """A keyframe: its number in its film, where its picture is, its second."""

    num: int
    path: str
    at_s: float


def read_screens(context: Context, known: Known) -> dict[str, Track]:
    """Checksum -> what is written on a film's keyframes."""
    if context.settings.texts.screen_model == "none":
        return {}
    frames = context.read_table(context.own("keyframes"))
    if frames.empty:
        return {}
    identity = screen_identity()
    found: dict[str, Track] = {}
    missing: dict[str, tuple[str, list[Frame]]] = {}
    for checksum, own in _by_film(frames).items():
        key = key_for(SCREEN, model=identity, frames=[frame.path for frame in own])
        if key in known:
            found[checksum] = known[key][0]
        else:
            missing[checksum] = key, own
    read = Images(context.store).read
    return found | _read_films(missing, read, n_threads=cores(context.settings.threads))


def _by_film(frames: pd.DataFrame) -> dict[str, list[Frame]]:
    """Checksum -> its keyframes in order; a loop takes a tenth of pandas' time for small groups."""
    rows = frames.drop_duplicates([CHECKSUM, FRAME_NUM]).sort_values([CHECKSUM, FRAME_NUM])
    columns = [rows[name].tolist() for name in (CHECKSUM, FRAME_NUM, PATH, AT_S)]
    films: dict[str, list[Frame]] = {}
    for checksum, num, path, at_s in zip(*columns, strict=True):
        films.setdefault(checksum, []).append(Frame(int(num), path, float(at_s)))
    return films


def _read_films(
    films: Mapping[str, tuple[str, Sequence[Frame]]],
    read: Callable[[str], Image],
    *,
    n_threads: int,
) -> dict[str, Track]:
    """Read films side by side, each on one thread.

    Two threads on one frame take 2.4 times the processor's time of one, and on a busy machine three
    times as long.
    """
    readers: SimpleQueue[ScreenReader] = SimpleQueue()
    for _ in range(n_threads):
        readers.put(ScreenReader())

    def track(film: tuple[str, Sequence[Frame]]) -> Track:
        reader = readers.get()
        try:
            return _read_film(*film, read, reader)
        finally:
            readers.put(reader)

    with ThreadPoolExecutor(n_threads) as pool:
        return dict(zip(films, pool.map(track, films.values()), strict=True))


def _read_film(
    key: str, frames: Sequence[Frame], read: Callable[[str], Image], reader: ScreenReader
) -> Track:
    seconds = {frame.num: frame.at_s for frame in frames}
    lines = read_frames([(frame.num, frame.path) for frame in frames], read, reader)
    passages = tuple(
        Passage(
            Cue(seconds[line.frame_num], seconds[line.frame_num], line.text, line.confidence),
            line.frame_num,
            line.box,
        )
        for line in lines
    )
    state = READ if passages else NOTHING
    return Track(SCREEN, "keyframes", key, state, passages=passages)

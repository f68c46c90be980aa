"""Screens: what is written on the keyframes of a shard's films."""

from vidrec_tasks.columns import AT_S, CHECKSUM, FRAME_NUM, PATH
from vidrec_tasks.content.texts.passages import Cue
from vidrec_tasks.content.texts.screens import ScreenReader, read_frames, screen_identity
from vidrec_tasks.content.texts.tracks import NOTHING, READ, SCREEN, Known, Passage, Track
from vidrec_tasks.hardware import cores
from vidrec_tasks.jobs.shared.images import Images
from vidrec_tasks.jobs.texts.features import key_for
from vidrec_tasks.running.job import Context


def read_screens(context: Context, known: Known) -> dict[str, Track]:
    """Checksum -> what is written on a film's keyframes."""
    if context.settings.texts.screen_model == "none":
        return {}
    frames = context.read_table(context.own("keyframes"))
    if frames.empty:
        return {}
    identity = screen_identity()
    reader = ScreenReader(n_threads=cores(context.settings.threads))
    images = Images(context.store)
    found: dict[str, Track] = {}
    for checksum, rows in frames.drop_duplicates([CHECKSUM, FRAME_NUM]).groupby(CHECKSUM):
        numbered = list(zip(rows[FRAME_NUM].astype(int), rows[PATH], strict=True))
        key = key_for(SCREEN, model=identity, frames=[path for _, path in numbered])
        if key in known:
            found[str(checksum)] = known[key][0]
            continue
        seconds = dict(zip(rows[FRAME_NUM].astype(int), rows[AT_S], strict=True))
        lines = read_frames(numbered, images.read, reader)
        passages = tuple(
            Passage(
                Cue(float(seconds[line.frame_num]), float(seconds[line.frame_num]), line.text,
                    line.confidence),
                line.frame_num, line.box,
            )
            for line in lines
        )  # fmt: skip
        state = READ if passages else NOTHING
        found[str(checksum)] = Track(SCREEN, "keyframes", key, state, passages=passages)
    return found

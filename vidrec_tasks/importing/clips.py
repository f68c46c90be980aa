"""Clips: a folder of films with a csv of captions, as a catalogue without any watching.

``clips.csv`` (or ``captions.csv``) with the columns file and caption, the files beside it or in
``clips/``. The caption becomes the title; nothing else of the csv is used.
"""

import logging
import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd

from vidrec_tasks import columns as c
from vidrec_tasks.errors import StoreError
from vidrec_tasks.importing.catalogue import RESTRICTING, restrictions
from vidrec_tasks.importing.preset import File, Preset
from vidrec_tasks.importing.reading import Source
from vidrec_tasks.importing.staging import Staging

log = logging.getLogger(__name__)

CAPTIONS: Final = File(("clips.csv", "captions.csv"))


def import_clips(source: Source, staging: Staging) -> dict[str, int]:
    """Import a folder of films; they are linked, or copied where they cannot be.

    There are no interactions then: run the content jobs and search with
    ``VIDREC_INPUTS__NEED_INTERACTIONS=false``.

    Returns:
        Films found and missing. A missing one stays in the catalogue, with a uri that the night
        will put in quarantine.
    """
    path = source.need(*CAPTIONS.patterns)
    folders = [source.folder / "clips", source.folder / "videos", source.folder]
    media = staging.into / "media"
    counts = {"media": 0, "media_missing": 0}
    for rows in source.read(path, needs=("file", "caption"), knows=RESTRICTING):
        for name in rows["file"].dropna():
            found = _inside(folders, str(name), source.folder)
            counts["media" if found else "media_missing"] += 1
            if found is None:
                log.warning("clips: %s is named in %s but not there", name, path.name)
            else:
                _bring(found, media / name, media)
        staging.add(
            "videos",
            pd.DataFrame(
                {
                    c.VIDEO_ID: rows["file"],
                    c.TITLE: rows["caption"],
                    c.URI: rows["file"],
                    **restrictions(rows),
                }
            ),
        )
    return counts


CLIPS: Final = Preset("clips", files=(CAPTIONS,), brings=("videos",), stage=import_clips)


def _inside(folders: Sequence[Path], name: str, source: Path) -> Path | None:
    """The file of a name, with its links followed; None where it is not there or they lead out."""
    for folder in folders:
        path = folder / name
        try:
            if path.is_file() and path.resolve().is_relative_to(source.resolve()):
                return path.resolve()
            if path.is_symlink() or path.is_file():
                log.warning("clips: %s leads out of %s and is left there", name, source)
        except (OSError, ValueError):  # a name that is too long, or is none
            return None
    return None


def _bring(film: Path, target: Path, media: Path) -> None:
    """Link or copy a film to its place, whole or not at all; one that is there already stays."""
    if not target.resolve().is_relative_to(media.resolve()):
        log.warning("clips: %s lies outside the folder and is left there", film)
        return
    if target.exists() and target.stat().st_size == film.stat().st_size:
        return
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(film, beside)
        except OSError:  # another disk, or a file system without links
            shutil.copyfile(film, beside)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        message = f"inputs: cannot write {target} ({error}); check free space and rights"
        raise StoreError(message) from error

"""World: renders a demo world into a store, whole or not at all."""

import json
import logging
import shutil
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from vidrec_tasks.contracts import admission
from vidrec_tasks.demo.catalogue import catalogue_table, plan_catalogue
from vidrec_tasks.demo.films import render, render_again
from vidrec_tasks.demo.logs import day_files, events_table, wrong_rows
from vidrec_tasks.demo.planned import Market, PlannedVideo
from vidrec_tasks.demo.sessions import let_watch, shelve
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.tastes import PlannedUser, plan_users, users_table
from vidrec_tasks.demo.truth import write_truth
from vidrec_tasks.demo.voices import NONE, narrator, spoken_searches, write_captions
from vidrec_tasks.demo.wording import searches
from vidrec_tasks.errors import InputError
from vidrec_tasks.store.store import Store

log = logging.getLogger(__name__)

INPUTS, TRUTH, RENDERING, FORMER = "inputs", "demo_truth", ".demo-rendering", "former-world"
LOG_EVERY_S: Final = 5.0


@dataclass(frozen=True)
class World:
    """A planned world: everything but its films."""

    size: Size
    videos: list[PlannedVideo]
    market: Market
    users: list[PlannedUser]
    events: pd.DataFrame


def plan_world(size: Size) -> World:
    """Plan a world: a pure function of its size and seed."""
    videos, market = plan_catalogue(size)
    users = plan_users(size, market, videos)
    shelf = shelve(videos, [topic.name for topic in market.topics])
    events = [event for user in users for event in let_watch(user, shelf, size)]
    return World(size, videos, market, users, events_table(events))


def render_world(into: Path, size: Size) -> bool:
    """Render a world into a store, beside first, then renamed.

    A store that holds the same world is left alone. Another world in it is moved aside, with all
    that was made from it, because nights of one world know nothing of another's users.

    Returns:
        Whether anything was rendered.

    Raises:
        InputError: the store holds inputs that no demo wrote.
        StoreError: the store cannot be written.
    """
    store = Store(str(into))
    root = store.local(store.path())
    there = world_of(into)
    if there == size.to_json():
        log.info("demo: the world exists already, in %s", root / INPUTS)
        return False
    if there is None and (root / INPUTS).exists():
        message = (
            f"demo: {root / INPUTS} holds inputs that no demo wrote; "
            "choose an empty folder for --into"
        )
        raise InputError(message)
    beside = root / RENDERING
    shutil.rmtree(beside, ignore_errors=True)
    try:
        _write(plan_world(size), beside)
        if there is not None:
            _move_aside(root, there)
        (beside / TRUTH).rename(root / TRUTH)
        (beside / INPUTS).rename(root / INPUTS)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return True


def world_of(into: Path) -> dict[str, Any] | None:
    """The size of the world that a store holds whole; None if there is none."""
    path = into / TRUTH / "world.json"
    if not path.exists() or not (into / INPUTS).exists():
        return None
    size: dict[str, Any] = json.loads(path.read_text())
    return {name: value for name, value in size.items() if name != "two_nights"}


def two_nights(into: Path) -> list[date]:
    """The last two nights of the world in a store.

    Raises:
        InputError: there is no demo world.
    """
    path = into / TRUTH / "world.json"
    if not path.exists():
        message = f"demo: there is no world in {into}; render one with the command demo first"
        raise InputError(message)
    return [date.fromisoformat(night) for night in json.loads(path.read_text())["two_nights"]]


def _write(world: World, folder: Path) -> None:
    begin = time.monotonic()
    inputs = folder / INPUTS
    (inputs / "interactions").mkdir(parents=True)
    rejects = {"videos": _write_videos(world, inputs), "interactions": _write_events(world, inputs)}
    _write_csv(users_table(world.users), inputs / "users.csv")
    rng = np.random.default_rng([world.size.seed, 5])
    filmed = _filmed(world)
    spoken = spoken_searches(filmed, world.size)
    asked = [*searches(world.market.topics, rng), *spoken]
    _write_csv(pd.DataFrame(asked, columns=["query", "count"]), inputs / "queries.csv")
    if narrator() == NONE:
        log.info("demo: films have no sound: no ffmpeg with the synthesiser flite is installed")
    _render_films(filmed, inputs / "media", seed=world.size.seed)
    write_truth(
        folder / TRUTH,
        size=world.size,
        market=world.market,
        videos=world.videos,
        users=world.users,
        events=world.events,
        rejects=rejects,
        narrator=narrator(),
        spoken_queries=[query for query, _ in spoken],
    )
    log.info(
        "demo: %d videos, %d users, %d events in %.0f s",
        len(world.videos), len(world.users), len(world.events), time.monotonic() - begin,
    )  # fmt: skip


def _write_videos(world: World, inputs: Path) -> dict[str, int]:
    """The catalogue, with a row without an id and an older version of a video."""
    table = catalogue_table(world.videos)
    nameless = table.iloc[[0]].assign(video_id="", title="A row that lost its id")
    twice = table.iloc[[-1]].assign(title="A row that was replaced")
    _write_csv(pd.concat([twice, table, nameless]), inputs / "videos.csv")
    return {"video_id is missing": 1, admission.NEWER_ROW: 1}


def _write_events(world: World, inputs: Path) -> dict[str, int]:
    known = next(video for video in world.videos if video.role == "plain")
    opted_out = {user.user_id for user in world.users if user.role == "opted out"}
    wrong, rejects = wrong_rows(world.events, known, opted_out)
    for day, text in day_files(world.events, wrong).items():
        (inputs / "interactions" / f"{day}.csv").write_text(text)
    return rejects


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, index=False, lineterminator="\n")


def _filmed(world: World) -> list[PlannedVideo]:
    """The videos that get a film."""
    n_films = len(world.videos) if world.size.films < 0 else world.size.films
    return [video for video in world.videos[:n_films] if video.has_media]


def _render_films(filmed: list[PlannedVideo], media: Path, *, seed: int) -> None:
    media.mkdir()
    first = [video for video in filmed if not video.reupload_of]
    again = [video for video in filmed if video.reupload_of]
    begin = logged_at = time.monotonic()
    for number, video in enumerate([*first, *again], start=1):
        path = media / f"{video.video_id}.mp4"
        source = media / f"{video.reupload_of}.mp4"
        if video.reupload_of and source.exists():
            render_again(source, path, video)
        else:
            render(video, path, seed=seed)
        write_captions(path, video)
        if time.monotonic() - logged_at > LOG_EVERY_S or number == len(filmed):
            logged_at = time.monotonic()
            log.info(
                "demo: %d of %d films rendered (%.0f s)", number, len(filmed), logged_at - begin
            )


def _move_aside(root: Path, there: dict[str, Any]) -> None:
    """Move another world and what was made from it into one folder, replacing what lay there."""
    name = ", ".join(f"{key} {value}" for key, value in there.items())
    log.info("demo: another world (%s) is replaced; it lies in %s now", name, root / FORMER)
    former = root / FORMER
    shutil.rmtree(former, ignore_errors=True)
    former.mkdir()
    last = (INPUTS, TRUTH)
    rest = [path for path in root.iterdir() if path.name not in (FORMER, RENDERING, *last)]
    for path in [*rest, *(root / name for name in last)]:
        path.rename(former / path.name)

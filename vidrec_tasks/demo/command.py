"""Command: what ``python -m vidrec_tasks demo`` takes and does.

Every command line passes here, so what renders is imported only when it is called.
"""

import argparse
from datetime import date
from pathlib import Path

from vidrec_tasks.demo.size import Size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    usual = Size()
    parser.add_argument("--into", type=Path, required=True, help="the store to render into")
    parser.add_argument("--videos", type=int, default=usual.videos, help="how many videos")
    parser.add_argument("--users", type=int, default=usual.users, help="how many users")
    parser.add_argument("--nights", type=int, default=usual.nights, help="days of logs")
    parser.add_argument(
        "--seed",
        type=int,
        default=usual.seed,
        help="seed of the random numbers; the same seed gives the same world",
    )
    parser.add_argument(
        "--films", type=int, default=usual.films,
        help="video files to render, for the first videos; -1: for all",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> None:
    """Render the world, unless it is there.

    Raises:
        SettingsError: a number is too small.
        InputError: the store holds inputs that no demo wrote.
    """
    from vidrec_tasks.demo.world import render_world

    size = Size(
        videos=arguments.videos,
        users=arguments.users,
        nights=arguments.nights,
        seed=arguments.seed,
        films=arguments.films,
    )
    render_world(arguments.into, size)


def nights(into: Path) -> list[date]:
    """The last two nights of the world in a store.

    Raises:
        InputError: there is no demo world.
    """
    from vidrec_tasks.demo.world import two_nights

    return two_nights(into)

"""A small demo world, and a night over it in one process: what a cluster is compared with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from tests import stores

WORLD = ["--videos", "12", "--users", "12", "--nights", "6", "--seed", "7"]

SMALL = {
    "VIDREC_INPUTS__USERS_PER_SHARD": "6",
    "VIDREC_INPUTS__VIDEOS_PER_SHARD": "6",
    "VIDREC_INSIGHTS__K_ANONYMITY": "2",
    "VIDREC_LANGUAGE__MAX_SENTENCES": "2",
    "VIDREC_RECOMMENDING__MAX_EPOCHS": "4",
    "VIDREC_EVALUATION__N_BOOTSTRAP": "50",
}
"""Several shards of users and of videos, short training, few sentences."""


PASSED = ("PATH", "HOME", "TMPDIR", "LANG")
"""What a process alone is given, as a container is: with OPENBLAS_CORETYPE in one of two nights
the confidence of a heard sentence was 0.762 there and 0.758 in the other."""


def render_world(root: Path, store: Path) -> list[str]:
    """The demo world in a store; returns its two nights."""
    run_vidrec(root, store, "demo", "--into", str(store), *WORLD)
    return run_vidrec(root, store, "demo_nights", "--into", str(store)).split()


def copy_inputs(world: Path, store: Path) -> None:
    """The same inputs in a store of its own; times of files too, which media are known by.

    What encoders keep to be ready sooner comes along: 40 s of a task each.
    """
    for name in ("inputs", "models"):
        if (world / name).exists():
            shutil.copytree(world / name, store / name, copy_function=shutil.copy2)


def run_vidrec(root: Path, store: Path, *arguments: str, results_url: str = "") -> str:
    """One command of vidrec in a process of its own, which must succeed.

    Args:
        root: the checkout.
        store: where it works.
        arguments: of the command.
        results_url: where the tables are; in the store by default.
    """
    results = {"VIDREC_RESULTS_URL": results_url} if results_url else {}
    environment = {
        **{name: value for name, value in os.environ.items() if name in PASSED},
        **SMALL,
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": "1",
        "VIDREC_THREADS": "1",
        "VIDREC_STORE_URL": str(store),
        **results,
    }
    done = subprocess.run(
        [sys.executable, "-m", "vidrec_tasks", *arguments], cwd=root, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def tables_of(url: str, run_id: str | None = None) -> dict[str, pd.DataFrame]:
    """Every result table of a run (the current one), ordered by all that can be ordered."""
    return {name: in_order(table) for name, table in stores.tables_of(url, run_id).items()}


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """A table's rows by their text, so that two databases' orders do not matter; no run_id."""
    table = table.drop(columns="run_id", errors="ignore")
    texts = [repr(row) for row in table.itertuples(index=False)]
    return table.iloc[sorted(range(len(texts)), key=texts.__getitem__)].reset_index(drop=True)


def differing(left: dict[str, pd.DataFrame], right: dict[str, pd.DataFrame]) -> list[str]:
    """The tables whose rows differ, with the first difference."""
    found = []
    for name, table in left.items():
        other = right[name]
        try:
            pd.testing.assert_frame_equal(
                table, other, check_exact=True, check_dtype=False, obj=name
            )
        except AssertionError as error:
            found.append(str(error))
    return found

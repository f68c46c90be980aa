"""Relevance: what a language model's judgement adds to a ranking of films, and what it costs.

``python -m benchmarks.language_relevance --data DIR --store STORE [--model M] --json PATH``: trains
on some users of MovieLens latest-small without the last film that half of them liked, and asks the
model about the best ranked films of those whose film is among them, with overviews as summaries.
The weight of each half of the users is chosen on the other half. A store that holds the trained
night already is asked again, so that models can be compared on the same rankings.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.language import draw_movielens, last_run, settings_of
from benchmarks.one_line_errors import run as run_main
from vidrec_tasks.columns import LOG_ODDS, RANK, USER_ID, VIDEO_ID
from vidrec_tasks.recommending.training.held_out_lists import IS_RELEVANT, N_RELEVANT
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run

N_USERS = 400
N_PAIRS = 2_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="ml-latest-small, tmdb-5000")
    parser.add_argument("--store", type=Path, required=True, help="is made where it is not there")
    parser.add_argument("--users", type=int, default=N_USERS, help="users of MovieLens")
    parser.add_argument("--pairs", type=int, default=N_PAIRS, help="pairs judged at most")
    parser.add_argument("--top", type=int, default=20, help="rows of a user that are judged")
    parser.add_argument("--model", default="embedded", help="'embedded', a folder or a .gguf file")
    parser.add_argument("--train-only", action="store_true", help="stop before anybody is asked")
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    night = _night_of(said.data, said.store, said.users)
    settings = _settings(said, calls=0)
    run_night(night, settings, until="train_models")
    if said.train_only:
        return 0
    settings = _settings(said, calls=said.pairs)
    receipts = run_night(night, settings, until="learn_relevance")
    counts = next(one["counts"] for one in receipts if one["job"] == "learn_relevance")
    result = {**measure(last_run(settings), top=said.top), **_cost(counts), "model": said.model}
    said.json.parent.mkdir(parents=True, exist_ok=True)
    said.json.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")
    sys.stdout.write(f"{json.dumps(result, sort_keys=True)}\n")
    return 0


def _night_of(data: Path, store: Path, n_users: int) -> date:
    """The night after the last rating; the inputs are drawn where there are none."""
    said = store / "night.txt"
    if not said.exists():
        night = draw_movielens(data, store, n_users, seed=7)
        said.write_text(night.isoformat())
    return date.fromisoformat(said.read_text())


def _settings(said: argparse.Namespace, *, calls: int) -> Settings:
    plain = settings_of(said.store, said.model)
    language = {"relevance_calls": calls, "relevance_top": said.top, "max_sentences": 0,
                "cards": "rules"}  # fmt: skip
    return plain.model_copy(
        update={
            "language": plain.language.model_copy(update=language),
            "recommending": plain.recommending.model_copy(update={"chosen_on": "last"}),
        }
    )


def measure(run: Run, *, top: int) -> dict[str, Any]:
    """What was learned, and how well log odds alone tell the liked film in its list.

    Args:
        run: with `learn_relevance` done.
        top: rows of a user that could be judged.

    Returns:
        As `relevance_weight.learn_weight` measured it; ``auc`` and ``auc_of_ranks``: the share of a
        user's other judged rows that the liked one stands before, by log odds and by rank, ties
        half, the mean of users with its standard error.
    """
    learned: dict[str, Any] = run.read_json("relevance", "learned")
    rows = run.read_table("held_out_lists")
    users = run.read_table("held_out_lists", "users")
    judged = rows.merge(run.read_table("relevance"), on=[USER_ID, VIDEO_ID])
    by_rank = judged.assign(**{LOG_ODDS: -judged[RANK]})
    return {
        "weight": learned["weight"],
        "spread": learned["spread"],
        **learned["measured"],
        "n_held_out": len(users),
        "n_listed": int(rows.loc[rows[RANK] <= top, IS_RELEVANT].sum()),
        "n_relevant": int(users[N_RELEVANT].sum()),
        "auc": _auc(judged),
        "auc_of_ranks": _auc(by_rank),
    }


def _auc(judged: pd.DataFrame) -> dict[str, float]:
    """Mean over users of how often a liked row has more log odds than another."""
    found = []
    for _, own in judged.groupby(USER_ID):
        liked = own.loc[own[IS_RELEVANT], LOG_ODDS].to_numpy()
        others = own.loc[~own[IS_RELEVANT], LOG_ODDS].to_numpy()
        if len(liked) and len(others):
            away = liked[:, None] - others
            found.append(float(((away > 0) + 0.5 * (away == 0)).mean()))
    values = np.array(found)
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
    mean = float(values.mean()) if len(values) else float("nan")
    return {"value": mean, "standard_error": error, "n_users": float(len(values))}


def _cost(counts: dict[str, Any]) -> dict[str, float]:
    """Pairs, tokens and seconds of what was asked now."""
    seconds, n_pairs = float(counts["seconds_asking"]), float(counts["judged_now"])
    return {
        "pairs": n_pairs,
        "tokens_in": float(counts["tokens_in"]),
        "seconds": seconds,
        "pairs_per_second": n_pairs / seconds if seconds else 0.0,
    }


if __name__ == "__main__":
    run_main(main)

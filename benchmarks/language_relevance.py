"""Relevance: what a language model's judgement adds to a ranking of films, and what it costs.

``python -m benchmarks.language_relevance --data DIR [--store STORE] [--model M] --json PATH``: the
last film that half of the users of MovieLens latest-small liked is held out; the linear item-item
model ranks all films for them, and the language model is asked about the best ones of those whose
film is among them, from facts before that film, with genres as topics and overviews as summaries.
The weight of each half of the users is chosen on the other half. Answers stay in the store, so what
was asked before costs nothing.
"""

import argparse
import json
import logging
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.language import draw_movielens, settings_of
from benchmarks.one_line_errors import run
from vidrec_tasks.audience.histories import Histories, epoch_seconds, gather
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.portrait_gathering import gather_facts
from vidrec_tasks.columns import (
    CATEGORIES,
    DESCRIPTION,
    EVENT_AT,
    LOG_ODDS,
    MOMENT,
    RANK,
    RELEVANCE_KEY,
    SCORE,
    TITLE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.jobs.shared.judging import tastes_of, videos_by_user
from vidrec_tasks.language.generator import LazyGenerator, first_sentence
from vidrec_tasks.language.judging import Judged, Question, judge_users
from vidrec_tasks.language.relevance import relevance_prompt
from vidrec_tasks.recommending.models.linear import LINEAR
from vidrec_tasks.recommending.models.ridge import LinearShape
from vidrec_tasks.recommending.training.held_out import Asked, hold_out, ndcg_of_row
from vidrec_tasks.recommending.training.held_out_lists import (
    IS_RELEVANT,
    N_EVENTS,
    N_KEPT,
    N_RELEVANT,
    NDCG_WITHOUT_WORDS,
    HeldOutLists,
)
from vidrec_tasks.recommending.training.relevance_weight import (
    learn_weight,
    rows_to_judge,
    users_in_turn,
)
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

N_PAIRS = 2_000
MIN_RATINGS = 5
SEED = 7
EVERYBODY = 1_000_000

Ints = npt.NDArray[np.int64]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="ml-latest-small, tmdb-5000")
    parser.add_argument("--store", type=Path, help="is made where it is not there, and kept")
    parser.add_argument("--pairs", type=int, default=N_PAIRS, help="pairs that are asked for now")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="after which nobody is asked"
    )
    parser.add_argument("--top", type=int, default=20, help="rows of a user that are judged")
    parser.add_argument("--model", default="embedded", help="'embedded', a folder or a .gguf file")
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as folder:
        store = said.store or Path(folder)
        settings = settings_of(store, said.model)
        night = _read(said.data, store, settings)
        night_run = Runs(Store(settings.store_url)).of_night(night)
        figures = measure(
            night_run, settings, top=said.top, budget=said.pairs, seconds=said.seconds
        )
    result = {"figures": figures}
    said.json.parent.mkdir(parents=True, exist_ok=True)
    said.json.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")
    sys.stdout.write(f"{json.dumps(result, sort_keys=True)}\n")
    return 0


def _read(data: Path, store: Path, settings: Settings) -> date:
    """The night after the last rating, with its inputs checked; once a store."""
    said = store / "night.txt"
    if not said.exists():
        night = draw_movielens(data, store, EVERYBODY, seed=SEED)
        run_night(night, settings, until="validate_inputs")
        said.write_text(night.isoformat())
    return date.fromisoformat(said.read_text())


def measure(
    run: Run, settings: Settings, *, top: int, budget: int, seconds: float = math.inf
) -> dict[str, Any]:
    """Rank, judge, learn and count.

    Args:
        run: with its inputs checked.
        settings: the language model.
        top: rows of a user that are judged.
        budget: pairs that are asked for now.
        seconds: after which no further user is judged, and those who were are counted.

    Returns:
        What `relevance_weight.learn_weight` measured; ``ndcg@10`` of the ranking of the users who
        were considered; ``auc`` and ``auc_of_ranks``: the share of a user's other judged rows that
        the liked one stands before, by log odds and by rank, ties half; pairs, seconds and tokens.
    """
    events = _events(run)
    videos = _known_videos(run.read_table("videos"), events)
    events = events[events[VIDEO_ID].isin(videos[VIDEO_ID])].reset_index(drop=True)
    visits = weigh(events, videos, settings.audience, night=run.night)
    histories = gather(visits)
    held = hold_out(histories, seed=SEED)
    lists = rank(held.train, held.asked, videos[VIDEO_ID].to_numpy(dtype=object))
    rows = rows_to_judge(lists, top=top)
    judge = LazyGenerator(settings.language, cache=Path(settings.store_url) / "models")
    found = judge_users(
        _within(_questions(lists, rows, videos, visits, run.night), seconds),
        judge,
        known=_known(settings),
        budget=budget,
    )
    _keep(settings, found)
    considered = _considered(users_in_turn(lists)[USER_ID].tolist(), found)
    learned = learn_weight(lists, found.table(), considered, top=top, n_draws=2_000, seed=SEED)
    plain = lists.users.set_index(USER_ID)[NDCG_WITHOUT_WORDS]
    judged = rows.merge(found.table(), on=[USER_ID, VIDEO_ID])
    usage = judge.usage
    return {
        "model": judge.identity,
        "weight": learned["weight"],
        "spread": learned["spread"],
        **learned["measured"],
        "ndcg@10": float(plain.loc[considered].mean()) if considered else None,
        "auc": _auc(judged),
        "auc_of_ranks": _auc(judged.assign(**{LOG_ODDS: -judged[RANK]})),
        "pairs_asked": found.n_asked,
        "pairs_judged": len(judged),
        "users_left": found.n_users_left,
        "seconds": usage.seconds,
        "tokens_in": usage.tokens_in,
        "pairs_per_second": found.n_asked / usage.seconds if usage.seconds else None,
    }


def _events(run: Run) -> pd.DataFrame:
    names = sorted(ref.name for ref in run.refs() if ref.name.startswith("interactions."))
    return pd.concat([run.read_table(name) for name in names], ignore_index=True)


def _known_videos(videos: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Films with `MIN_RATINGS`: the inverse of all 9,000 takes minutes."""
    counts = events[VIDEO_ID].value_counts()
    known = counts.index[counts >= MIN_RATINGS]
    return videos[videos[VIDEO_ID].isin(known)].reset_index(drop=True)


def rank(train: Histories, asked: Asked, video_ids: npt.NDArray[np.object_]) -> HeldOutLists:
    """The best films of each held-out user that they have not met, by the linear model.

    Args:
        train: of all users, without what was held out.
        asked: the held-out users.
        video_ids: of the films, by number.
    """
    model = LINEAR.fit(train, len(video_ids), LinearShape())
    scores = model.scores(LINEAR.query(asked.users, len(video_ids))).astype(np.float64)
    scores[asked.users.user_nums(), asked.users.video_nums] = -np.inf
    best = np.argsort(-scores, axis=1, kind="stable")[:, :N_KEPT]
    users = np.repeat(np.arange(len(best)), best.shape[1])
    places = np.tile(np.arange(best.shape[1]), len(best))
    relevant = np.array([np.isin(row, own) for row, own in zip(best, asked.targets, strict=True)])
    rows = pd.DataFrame(
        {
            USER_ID: asked.users.user_ids[users].astype(str),
            VIDEO_ID: video_ids[best.ravel()].astype(str),
            RANK: places + 1,
            SCORE: scores[users, best.ravel()],
            IS_RELEVANT: relevant.ravel(),
        }
    )
    rows = rows[np.isfinite(rows[SCORE])].reset_index(drop=True)
    last = asked.users.offsets[1:] - 1
    ndcg = [
        ndcg_of_row(own, own[targets], len(targets))
        for own, targets in zip(scores, asked.targets, strict=True)
    ]
    people = pd.DataFrame(
        {
            USER_ID: asked.users.user_ids.astype(str),
            MOMENT: asked.users.event_at[last],
            N_EVENTS: np.diff(asked.users.offsets),
            N_RELEVANT: [len(targets) for targets in asked.targets],
            NDCG_WITHOUT_WORDS: ndcg,
        }
    )
    return HeldOutLists(people, rows)


def _questions(
    lists: HeldOutLists, rows: pd.DataFrame, videos: pd.DataFrame, visits: pd.DataFrame, night: date
) -> list[tuple[str, list[Question]]]:
    """Each held-out user in turn with the questions about their rows, from facts of then."""
    moments = lists.users.set_index(USER_ID)[MOMENT]
    own = visits[visits[USER_ID].isin(set(rows[USER_ID]))]
    then = own[epoch_seconds(own[EVENT_AT]) < own[USER_ID].map(moments).to_numpy(np.int64)]
    genres = [list(row) for row in videos[CATEGORIES]]
    user_ids = sorted(then[USER_ID].unique())
    facts = gather_facts(then, videos, genres, user_ids, night=night)
    told = {
        str(user): tastes_of(of, language="en") for user, of in zip(user_ids, facts, strict=True)
    }
    cards = {
        row[VIDEO_ID]: (row[TITLE], genre, first_sentence(str(row[DESCRIPTION] or "")))
        for row, genre in zip(videos.to_dict("records"), genres, strict=True)
    }
    by_user = videos_by_user(rows)
    return [
        (user, [_question(told[user], video, *cards[video]) for video in by_user.get(user, ())])
        for user in users_in_turn(lists)[USER_ID]
        if user in told or user not in by_user
    ]


def _within(
    asked: Sequence[tuple[str, list[Question]]], seconds: float
) -> Iterator[tuple[str, list[Question]]]:
    end = time.monotonic() + seconds
    for one in asked:
        if time.monotonic() > end:
            return
        yield one


def _question(
    facts: list[str], video_id: str, title: str, topics: list[str], summary: str
) -> Question:
    return Question(video_id, relevance_prompt(facts, title=title, topics=topics, summary=summary))


def _considered(in_order: list[str], judged: Judged) -> list[str]:
    found = set(judged.users)
    left = [num for num, user in enumerate(in_order) if user not in found]
    return in_order[: left[0]] if left else in_order


def _answers_of(settings: Settings) -> Path:
    return Path(settings.store_url) / "answers.parquet"


def _known(settings: Settings) -> dict[str, float]:
    path = _answers_of(settings)
    if not path.exists():
        return {}
    table = pd.read_parquet(path)
    return dict(zip(table[RELEVANCE_KEY], table[LOG_ODDS], strict=True))


def _keep(settings: Settings, found: Judged) -> None:
    known = _known(settings) | {key: odds for _, _, key, odds in found.rows}
    table = pd.DataFrame({RELEVANCE_KEY: list(known), LOG_ODDS: list(known.values())})
    table.to_parquet(_answers_of(settings), index=False)


def _auc(judged: pd.DataFrame) -> dict[str, float] | None:
    """Mean over users of how often a liked row has more log odds than another; None of nobody."""
    found = []
    for _, own in judged.groupby(USER_ID):
        liked = own.loc[own[IS_RELEVANT], LOG_ODDS].to_numpy()
        others = own.loc[~own[IS_RELEVANT], LOG_ODDS].to_numpy()
        if len(liked) and len(others):
            away = liked[:, None] - others
            found.append(float(((away > 0) + 0.5 * (away == 0)).mean()))
    if len(found) < 2:
        return None
    values = np.array(found)
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return {"value": mean, "standard_error": error, "n_users": float(len(values))}


if __name__ == "__main__":
    run(main)

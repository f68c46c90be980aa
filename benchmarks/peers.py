"""The peers of `benchmarks.quality`: fitted here, in the bench environment, on the same events.

``python -m benchmarks.peers FOLDER NAME --protocol loo|time --window-s N --seed N`` reads
``train.npz`` and ``users.npy`` and writes ``NAME.lists.npy`` (item_ids by rank, -1 behind) and
``NAME.seconds``. Each peer is tuned within the training data by the protocol of the test: on the
last window of it, as long as that of the test, or on the last event of every user. Then it is
fitted again on all of it. The models of libraries are in `peer_models`.
"""

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from benchmarks.peer_models import Trial

log = logging.getLogger("benchmarks.peers")

Ints = npt.NDArray[np.int64]

USER, ITEM, AT, WEIGHT = "user_id", "item_id", "datetime", "weight"  # as RecTools names them

DEPTH: Final = 20
N_TUNED: Final = 2_000
"""Users a candidate setting is judged on at most."""

POPULAR: Final[dict[str, int | None]] = {
    "popular": None,
    **{f"popular-{days}d": days for days in (1, 3, 7, 14, 30)},
}
"""Name -> days before the end of the training data that are counted; None: all."""
QUICK: Final = (*POPULAR, "item-knn", "ease", "als")
NAMES: Final = (*QUICK, "sasrec", "gsasrec", "esasrec", "bert4rec")
"""All peers, those that are fitted in seconds first."""


class Validation(NamedTuple):
    """A part of the training data that a setting is judged on, and what lies before it.

    Attributes:
        train: the events that may be learned from.
        asked: the events that are asked for, of users who have some in ``train``.
    """

    train: pd.DataFrame
    asked: pd.DataFrame


def named(words: str) -> tuple[str, ...]:
    """The peers of ``all``, ``quick``, ``none`` or names between commas, quick ones first.

    Raises:
        argparse.ArgumentTypeError: a name is unknown.
    """
    groups = {"all": NAMES, "quick": QUICK, "none": ()}
    asked = set[str]()
    for word in words.split(","):
        if word not in groups and word not in NAMES:
            message = f"unknown peer {word!r}; one of {', '.join((*groups, *NAMES))}"
            raise argparse.ArgumentTypeError(message)
        asked.update(groups.get(word, (word,)))
    return tuple(name for name in NAMES if name in asked)


def main(argv: Sequence[str] | None = None) -> None:
    """Fit one peer and write its lists."""
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--protocol", choices=("loo", "time"), required=True)
    parser.add_argument("--window-s", type=int, default=0, help="length of the test window")
    parser.add_argument("--seed", type=int, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    events, users = read_events(said.folder / "train.npz"), np.load(said.folder / "users.npy")
    if said.name in POPULAR:
        begin = time.monotonic()
        lists = popular_lists(events, users, days=POPULAR[said.name])
    else:
        from benchmarks.peer_models import trials_of  # imports take seconds that are not counted

        trials = trials_of(said.name, seed=said.seed, n_users=events[USER].nunique())
        begin = time.monotonic()
        validation = hold_out(events, protocol=said.protocol, window_s=said.window_s)
        lists = tuned_lists(said.name, trials, events, validation, users)
    np.save(said.folder / f"{said.name}.lists.npy", lists)
    (said.folder / f"{said.name}.seconds").write_text(str(time.monotonic() - begin))


def read_events(path: Path) -> pd.DataFrame:
    """The training events under RecTools' names, each counting 1, by user and time."""
    with np.load(path) as found:
        events = pd.DataFrame({USER: found["user_id"], ITEM: found["item_id"]})
        events[AT] = pd.to_datetime(found["event_at"], unit="s")
    events[WEIGHT] = 1.0
    return events


def popular_lists(events: pd.DataFrame, users: Ints, *, days: int | None = None) -> Ints:
    """``(n_users, DEPTH)`` the items with the most events, ties by item_id, none seen before.

    Args:
        events: the training data.
        users: who gets a list.
        days: only events within so many days of the last one are counted; None: all. Items without
            one are not listed.
    """
    recent = events
    if days is not None:
        recent = events[events[AT] >= events[AT].max() - pd.Timedelta(days=days)]
    counts = recent.groupby(ITEM).size()  # by item_id
    order = counts.index.to_numpy()[np.argsort(-counts.to_numpy(), kind="stable")]
    seen = {user: part.to_numpy() for user, part in events.groupby(USER)[ITEM]}
    nothing = np.empty(0, dtype=np.int64)
    lists = np.full((len(users), DEPTH), -1, dtype=np.int64)
    for row, user in enumerate(users):
        met = seen.get(user, nothing)
        first = order[: DEPTH + len(met)]
        fresh = first[~np.isin(first, met)][:DEPTH]
        lists[row, : len(fresh)] = fresh
    return lists


def hold_out(events: pd.DataFrame, *, protocol: str, window_s: int) -> Validation:
    """The validation events of the training data, by the protocol of the test.

    ``time``: what came in the last ``window_s`` seconds is asked of everybody who was there before,
    and nothing in the window is learned from. ``loo``: the last event of every user with three. If
    nobody was there before and in the window, the last events are taken for it as well.
    """
    if protocol == "time":
        cut = events[AT].max() - pd.Timedelta(seconds=window_s)
        train, later = events[events[AT] < cut], events[events[AT] >= cut]
        asked = later[later[USER].isin(train[USER])]
        if len(asked):
            drawn = asked[USER].drop_duplicates()
            drawn = drawn.sample(min(N_TUNED, len(drawn)), random_state=0)
            return Validation(train, asked[asked[USER].isin(drawn)])
        log.warning("no user has events before and in the last %d s: last events instead", window_s)
    last = ~events.duplicated(USER, keep="last")
    counts = events.groupby(USER)[ITEM].transform("size")
    asked = events[last & (counts >= 3)]
    asked = asked.sample(min(N_TUNED, len(asked)), random_state=0)
    return Validation(events.drop(index=asked.index), asked)


def tuned_lists(
    name: str,
    trials: Sequence["Trial"],
    events: pd.DataFrame,
    validation: Validation,
    users: Ints,
) -> Ints:
    """``(n_users, DEPTH)`` lists of the best of some trials, fitted again on all events."""
    asked = validation.asked.groupby(USER)[ITEM].agg(set)
    scores, finals = [], []
    for number, trial in enumerate(trials, start=1):
        model, final = trial.fit(validation)
        lists = lists_of(model, validation.train, asked.index.to_numpy())
        scores.append(ndcg(lists, asked))
        finals.append(final)
        log.info(
            "%s %d/%d, %s: NDCG@10 %.4f of %d users before the test",
            name, number, len(trials), final.words, scores[-1], len(asked),
        )  # fmt: skip
    best = finals[int(np.argmax(scores))]
    log.info("%s: chose %s", name, best.words)
    return lists_of(best.fit_all(events), events, users)


def lists_of(model: Any, events: pd.DataFrame, users: Ints) -> Ints:
    """``(n_users, DEPTH)`` what a fitted model of RecTools recommends, -1 where it has no more."""
    from rectools.dataset import Dataset

    recommended = model.recommend(
        users, Dataset.construct(events), k=DEPTH, filter_viewed=True,
        on_unsupported_targets="ignore",
    )  # fmt: skip
    lists = np.full((len(users), DEPTH), -1, dtype=np.int64)
    rows = pd.Index(users).get_indexer(recommended[USER])
    lists[rows, recommended["rank"].to_numpy() - 1] = recommended[ITEM].to_numpy()
    return lists


def ndcg(lists: Ints, asked: pd.Series) -> float:
    """Mean NDCG@10 of lists against what was asked for: user -> set of items, in their order."""
    discounts = 1 / np.log2(np.arange(2, 12))
    total = 0.0
    for listed, wanted in zip(lists, asked, strict=True):
        hits = np.isin(listed[:10], list(wanted))
        total += float(discounts[hits].sum() / discounts[: len(wanted)].sum())
    return total / max(len(asked), 1)


if __name__ == "__main__":
    main()

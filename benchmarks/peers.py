"""The peers of `benchmarks.quality`: fitted here, in the bench environment, on the same events.

``python -m benchmarks.peers FOLDER NAMES SEED`` reads ``train.npz``, ``users.npy`` and writes
``<name>.lists.npy`` (item_ids by rank, -1 behind) and ``<name>.seconds``. Each peer is tuned on the
last event of every user of the training data, then fitted again on all of it.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset

log = logging.getLogger("benchmarks.peers")

DEPTH = 20
N_TUNED = 2_000
"""Users a candidate setting is judged on at most."""
EPOCHS = (15, 30, 60)

Make = Callable[[], Any]


def settings_of(seed: int, n_users: int) -> dict[str, list[tuple[str, Make]]]:
    """Name -> the settings that are tried, each as (words, how the model is made)."""
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import CosineRecommender, TFIDFRecommender
    from rectools.models import (
        EASEModel,
        ImplicitALSWrapperModel,
        ImplicitItemKNNWrapperModel,
        PopularModel,
    )

    def als(factors: int, alpha: float) -> Make:
        return lambda: ImplicitALSWrapperModel(
            AlternatingLeastSquares(
                factors=factors, alpha=alpha, regularization=0.05, iterations=15,
                random_state=seed, num_threads=2,
            )
        )  # fmt: skip

    def knn(kind: Any, k: int) -> Make:
        return lambda: ImplicitItemKNNWrapperModel(kind(K=k))

    def ease(l2: float) -> Make:
        return lambda: EASEModel(regularization=l2)

    return {
        "popular": [("", PopularModel)],
        "item-knn": [
            (f"{kind.__name__} K={k}", knn(kind, k))
            for kind in (CosineRecommender, TFIDFRecommender)
            for k in (20, 50, 100, 200)
        ],
        "als": [
            (f"factors={f} alpha={a}", als(f, a)) for f in (32, 64, 128) for a in (1.0, 5.0, 20.0)
        ],
        "ease": [(f"l2={l2}", ease(l2)) for l2 in (50.0, 100.0, 250.0, 500.0, 1000.0)],
        "sasrec": [(f"epochs={n}", sequential("sasrec", n, seed, n_users)) for n in EPOCHS],
        "bert4rec": [(f"epochs={n}", sequential("bert4rec", n, seed, n_users)) for n in EPOCHS],
    }


def sequential(kind: str, epochs: int, seed: int, n_users: int) -> Make:
    """SASRec or BERT4Rec of RecTools with softmax loss, at the sizes its authors benchmark.

    A pass has at least 20 steps: with their batches of 128 it would have 6 on 671 users.
    """
    batch_size = max(16, min(128, n_users // 20))

    def make() -> Any:
        import torch
        from pytorch_lightning import Trainer, seed_everything
        from rectools.models import BERT4RecModel, SASRecModel

        seed_everything(seed, verbose=False)
        torch.set_num_threads(2)

        def trainer() -> Any:
            return Trainer(
                max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False, deterministic=True,
            )  # fmt: skip

        shared = {
            "n_factors": 64, "n_blocks": 2, "n_heads": 2, "dropout_rate": 0.2, "lr": 1e-3,
            "batch_size": batch_size, "session_max_len": 50, "loss": "softmax",
            "get_trainer_func": trainer, "train_min_user_interactions": 2,
        }  # fmt: skip
        return SASRecModel(**shared) if kind == "sasrec" else BERT4RecModel(**shared)

    return make


def main() -> None:
    """Fit every named peer and write its lists."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    folder, names, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    events = _events(folder / "train.npz")
    users = np.load(folder / "users.npy")
    known = settings_of(seed, events[Columns.User].nunique())
    for name in known if names == "all" else names.split(","):
        begin = time.monotonic()
        lists = _recommend(name, known[name], events, users)
        np.save(folder / f"{name}.lists.npy", lists)
        (folder / f"{name}.seconds").write_text(str(time.monotonic() - begin))


def _events(path: Path) -> pd.DataFrame:
    """The training events under RecTools' names, each counting 1."""
    with np.load(path) as found:
        events = pd.DataFrame({Columns.User: found["user_id"], Columns.Item: found["item_id"]})
        events[Columns.Datetime] = pd.to_datetime(found["event_at"], unit="s")
    events[Columns.Weight] = 1.0
    return events


def _recommend(name: str, tried: list[tuple[str, Make]], events: pd.DataFrame, users: Any) -> Any:
    make = tried[0][1]
    if len(tried) > 1:
        words, make = _tune(name, tried, events)
        log.info("%s: chose %s", name, words)
    dataset = Dataset.construct(events)
    model = make().fit(dataset)
    return _lists(model, dataset, users)


def _tune(name: str, tried: list[tuple[str, Make]], events: pd.DataFrame) -> tuple[str, Make]:
    last = ~events.duplicated(Columns.User, keep="last")
    counts = events.groupby(Columns.User)[Columns.Item].transform("size")
    held = events[last & (counts >= 3)]
    held = held.sample(min(N_TUNED, len(held)), random_state=0)
    dataset = Dataset.construct(events.drop(index=held.index))
    known = set(dataset.item_id_map.external_ids)
    held = held[held[Columns.Item].isin(known)]
    best, best_score = tried[0], -1.0
    for words, make in tried:
        lists = _lists(make().fit(dataset), dataset, held[Columns.User].to_numpy())
        score = _ndcg(lists, held[Columns.Item])
        log.info("%s %s: %.4f", name, words, score)
        if score > best_score:
            best, best_score = (words, make), score
    return best


def _lists(model: Any, dataset: Any, users: Any) -> Any:
    recommended = model.recommend(users, dataset, k=DEPTH, filter_viewed=True)
    rows = {user: num for num, user in enumerate(users)}
    lists = np.full((len(users), DEPTH), -1, dtype=np.int64)
    at = recommended[Columns.User].map(rows).to_numpy()
    lists[at, recommended[Columns.Rank].to_numpy() - 1] = recommended[Columns.Item].to_numpy()
    return lists


def _ndcg(lists: Any, targets: Iterable[int]) -> float:
    hits = lists[:, :10] == np.asarray(targets)[:, None]
    return float((hits / np.log2(np.arange(2, 12))).sum(axis=1).mean())


if __name__ == "__main__":
    main()

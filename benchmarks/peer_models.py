"""The peers that libraries bring, each with the settings that are tried; for `benchmarks.peers`.

Only the bench environment can import it: implicit, RecTools and Lightning are not of the project.
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import pandas as pd
import torch
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import CosineRecommender, TFIDFRecommender
from pytorch_lightning import Callback, Trainer, seed_everything
from rectools.dataset import Dataset
from rectools.models import (
    BERT4RecModel,
    EASEModel,
    ImplicitALSWrapperModel,
    ImplicitItemKNNWrapperModel,
    SASRecModel,
)
from rectools.models.nn.transformers.ligr import LiGRLayers

from benchmarks.peers import AT, ITEM, USER, Validation

MAX_EPOCHS: Final = 60
PATIENCE: Final = 8
"""Passes without a lower loss on the validation events before training stops."""
SIZES: Final = ((64, 0.2), (64, 0.5), (128, 0.2))
"""Width and dropout of a sequential peer: three trials, as many as there were of its passes."""

KINDS: Final[dict[str, tuple[type, dict[str, Any]]]] = {
    "sasrec": (SASRecModel, {"loss": "softmax"}),
    # gSASRec (Petrov & Macdonald, RecSys 2023): its t, and half of its 256 negatives
    "gsasrec": (SASRecModel, {"loss": "gBCE", "n_negatives": 128, "gbce_t": 0.75}),
    # eSASRec (Tikhonovich et al., RecSys 2025): its layers; its sampled softmax stands for the full
    # one, which catalogues of this size allow
    "esasrec": (SASRecModel, {"loss": "softmax", "transformer_layers_type": LiGRLayers}),
    "bert4rec": (BERT4RecModel, {"loss": "softmax"}),
}


@dataclass(frozen=True)
class Trial:
    """One setting of one peer.

    Attributes:
        words: the setting.
        make: makes an unfitted model.
    """

    words: str
    make: Callable[[], Any]

    def fit(self, validation: Validation) -> tuple[Any, "Trial"]:
        """The model fitted without the validation events, and the trial to fit on all of them."""
        return self.fit_all(validation.train), self

    def fit_all(self, events: pd.DataFrame) -> Any:
        """The model fitted on events."""
        return self.make().fit(Dataset.construct(events))


@dataclass(frozen=True)
class SequentialTrial:
    """One setting of a sequential peer, at the sizes that RecTools' authors benchmark.

    Attributes:
        kind: of `KINDS`.
        n_factors: width.
        dropout: its rate.
        batch_size: users a step.
        seed: of the weights, the batches and the negatives.
        epochs: passes; 0 until early stopping has told.
    """

    kind: str
    n_factors: int
    dropout: float
    batch_size: int
    seed: int
    epochs: int = 0

    @property
    def words(self) -> str:
        """The setting."""
        told = f" epochs={self.epochs}" if self.epochs else ""
        return f"factors={self.n_factors} dropout={self.dropout}{told}"

    def fit(self, validation: Validation) -> tuple[Any, "SequentialTrial"]:
        """Train until the loss of the next event of validation users no longer falls."""
        following = validation.asked.sort_values([USER, AT], kind="stable")
        following = following.drop_duplicates(USER)
        events = pd.concat([validation.train, following], ignore_index=True)
        model = self._make(_Best(), mask=_mask_of(following)).fit(Dataset.construct(events))
        best = next(call for call in model.fit_trainer.callbacks if isinstance(call, _Best))
        return model, replace(self, epochs=best.epoch)

    def fit_all(self, events: pd.DataFrame) -> Any:
        """The model after as many passes over events as were best."""
        return self._make().fit(Dataset.construct(events))

    def _make(self, *callbacks: Callback, mask: Callable[..., Any] | None = None) -> Any:
        logging.getLogger("pytorch_lightning").setLevel(
            logging.WARNING
        )  # tells of no GPU each time
        seed_everything(self.seed, verbose=False)
        torch.set_num_threads(2)

        def trainer() -> Trainer:
            return Trainer(
                max_epochs=self.epochs or MAX_EPOCHS, accelerator="cpu", logger=False,
                enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
                deterministic=True, num_sanity_val_steps=0, callbacks=list(callbacks),
            )  # fmt: skip

        kind, own = KINDS[self.kind]
        return kind(
            n_factors=self.n_factors, n_blocks=2, n_heads=2, dropout_rate=self.dropout, lr=1e-3,
            batch_size=self.batch_size, session_max_len=50, get_trainer_func=trainer,
            get_val_mask_func=mask, train_min_user_interactions=2, **own,
        )  # fmt: skip


class _Best(Callback):
    """Early stopping: ends with the weights of the lowest validation loss.

    Attributes:
        epoch: the pass after which they were had, from 1.
    """

    def __init__(self) -> None:
        self.epoch = 0
        self._loss = float("inf")
        self._state: dict[str, Any] = {}

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Keep the weights if they are better, stop if they have not been for long."""
        loss, now = float(trainer.callback_metrics["val_loss"]), trainer.current_epoch + 1
        if loss < self._loss or not self.epoch:
            self._loss, self.epoch = loss, now
            self._state = copy.deepcopy(pl_module.torch_model.state_dict())
        elif now - self.epoch >= PATIENCE:
            trainer.should_stop = True

    def on_fit_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Put the best weights back."""
        if self._state:  # nothing where no validation event is of a known item
            pl_module.torch_model.load_state_dict(self._state)


def _mask_of(following: pd.DataFrame) -> Callable[..., Any]:
    """Tells RecTools which events are for validation only."""
    pairs = pd.MultiIndex.from_frame(following[[USER, ITEM]])

    def mask(interactions: pd.DataFrame) -> Any:
        return pd.MultiIndex.from_frame(interactions[[USER, ITEM]]).isin(pairs)

    return mask


def trials_of(name: str, *, seed: int, n_users: int) -> list[Trial] | list[SequentialTrial]:
    """The settings that are tried of a peer.

    A pass of a sequential one has at least 20 steps: with batches of 128, as its authors have
    them, it would have 6 on 671 users.
    """
    if name in KINDS:
        batch_size = max(16, min(128, n_users // 20))
        return [SequentialTrial(name, n, dropout, batch_size, seed) for n, dropout in SIZES]
    return {"item-knn": _knn, "ease": _ease, "als": _als}[name](seed)


def _knn(_: int) -> list[Trial]:
    def trial(kind: Any, k: int) -> Trial:
        return Trial(f"{kind.__name__} K={k}", lambda: ImplicitItemKNNWrapperModel(kind(K=k)))

    kinds = (CosineRecommender, TFIDFRecommender)
    # MovieTweetings by time wants 20 neighbours, MovieLens small by last events 3
    return [trial(kind, k) for kind in kinds for k in (3, 8, 20, 100)]


def _ease(_: int) -> list[Trial]:
    def trial(l2: float) -> Trial:
        return Trial(f"l2={l2}", lambda: EASEModel(regularization=l2))

    return [trial(l2) for l2 in (50.0, 100.0, 250.0, 500.0, 1000.0)]


def _als(seed: int) -> list[Trial]:
    def trial(factors: int, alpha: float) -> Trial:
        return Trial(
            f"factors={factors} alpha={alpha}",
            lambda: ImplicitALSWrapperModel(
                AlternatingLeastSquares(
                    factors=factors, alpha=alpha, regularization=0.05, iterations=15,
                    random_state=seed, num_threads=2,
                )
            ),
        )  # fmt: skip

    # MovieTweetings by time wants 8 factors, MovieLens small by last events 32
    return [trial(f, a) for f in (8, 32, 128) for a in (1.0, 5.0, 20.0)]

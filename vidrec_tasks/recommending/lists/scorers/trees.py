"""Trees: gradient-boosted LambdaMART over all features, beside ``f(v).g(u)``.

LambdaMART (Burges, 2010) by LightGBM. A part of a score is what TreeSHAP (Lundberg et al., 2018)
gives to a feature, so the parts sum to the score.
"""

from functools import lru_cache
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar

from vidrec_tasks.recommending.lists.features import ATTENTION, DOT, LATELY, NAMES
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Parts

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

BASE: Final = "base"
"""The part that is the same for every candidate."""
N_ROUNDS: Final = 100
"""Trees a seed: NDCG@10 of a later window hardly moved from 60 to 250."""
SEEDS: Final = (1, 2, 3)
"""Forests whose mean is taken: one alone was 0.001 to 0.003 worse."""
N_GUESSING: Final = 20
"""Trees by which a score is guessed."""
_GAIN = 2.0
"""How much more the whole forest says than these; of 1.25 to 2.5, by 500 users' histories."""
_PARAMETERS: Final[dict[str, Any]] = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 20,
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
_WITH_DOT: Final = (DOT, LATELY)
_READ: Final = tuple(name for name in NAMES if name != ATTENTION)
"""The attention's last bits depend on what is asked beside: a split would make them steps."""
_IS_READ: Final = np.isin(NAMES, _READ)


class Trees:
    """The mean of two rankers, in units of their own spread: the forests, and the towers.

    The forests learn from one window and know its fashions by heart; the towers learned from all
    of the log. Half of each was better than either on every window that was tried.
    """

    name: Final = "trees"
    is_costly: Final = True

    @property
    def usual(self) -> Learned:
        """No forest: the towers alone."""
        return {"forests": [], "scale": 0.0, "dot_scale": 1.0}

    def learn(self, examples: Examples) -> Learned:
        """Forests over the users whose candidates hold what they watched."""
        is_kept: npt.NDArray[np.bool_] = np.any(examples.relevant & examples.is_real, axis=1)
        if not is_kept.any():
            return self.usual
        kept = examples.of(is_kept)
        rows = kept.features[kept.is_real] * _IS_READ
        labels = kept.relevant[kept.is_real]
        data = lgb.Dataset(
            rows, labels.astype(np.int8), group=kept.is_real.sum(axis=1), free_raw_data=False,
            params=_PARAMETERS,
        )  # fmt: skip
        forests = [
            lgb.train(
                {**_PARAMETERS, "num_threads": torch.get_num_threads(), "seed": seed},
                data,
                N_ROUNDS,
            ).model_to_string()
            for seed in SEEDS
        ]
        return _calibrated(forests, kept, rows)

    def wanted(self, learned: Learned) -> tuple[str, ...]:
        """Every feature that trees may split on; the towers' alone without a forest."""
        return _READ if learned["forests"] else _WITH_DOT

    def scores(self, features: Floats, learned: Learned) -> Doubles:
        """``(n_users, k)``."""
        rows = features.reshape(-1, features.shape[-1]) * _IS_READ
        total = _dot(rows) * learned["dot_scale"]
        for forest in learned["forests"]:
            total += learned["scale"] * _predict(forest, rows)
        return total.reshape(features.shape[:-1])

    def guesses(self, features: Floats, learned: Learned) -> Doubles:
        """``(n_users, k)`` about the scores, by the first trees of each forest in place of all."""
        rows = features.reshape(-1, features.shape[-1]) * _IS_READ
        total = _dot(rows) * learned["dot_scale"]
        for forest in learned["forests"]:
            first = _predict(forest, rows, num_iteration=N_GUESSING)
            total += _GAIN * learned["scale"] * first
        return total.reshape(features.shape[:-1])

    def parts(self, features: Floats, learned: Learned) -> Parts:
        """What TreeSHAP gives to each feature, the towers' own part, and the base."""
        rows = features.reshape(-1, features.shape[-1]) * _IS_READ
        values = np.zeros((len(rows), len(NAMES) + 1), dtype=np.float64)
        for forest in learned["forests"]:
            values += learned["scale"] * _predict(forest, rows, pred_contrib=True)
        for name in _WITH_DOT:
            own = NAMES.index(name)
            values[:, own] += learned["dot_scale"] * rows[:, own].astype(np.float64)
        return Parts((*NAMES, BASE), values.reshape(*features.shape[:-1], -1))


def _dot(rows: Floats) -> Doubles:
    return np.asarray(rows[:, [NAMES.index(name) for name in _WITH_DOT]].sum(axis=1, dtype=float))


def _calibrated(forests: list[str], examples: Examples, rows: Floats) -> Learned:
    """Both rankers over their spread, times what makes a softmax of their sum most likely."""
    summed, dots = np.sum([_predict(forest, rows) for forest in forests], axis=0), _dot(rows)
    forest_spread, dot_spread = (max(float(values.std()), 1e-9) for values in (summed, dots))
    scores = np.full(examples.is_real.shape, -1e9)
    scores[examples.is_real] = summed / forest_spread + dots / dot_spread
    target = examples.relevant / examples.relevant.sum(axis=1, keepdims=True)

    def loss(log_heat: float) -> float:
        logits = np.exp(log_heat) * scores
        logits = logits - logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return -float(np.where(examples.is_real, target * (logits - total), 0).sum(axis=1).mean())

    heat = float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
    return {
        "forests": forests,
        "scale": heat / forest_spread,
        "dot_scale": heat / dot_spread,
    }


def _predict(forest: str, rows: Floats, **more: Any) -> Doubles:
    threads = torch.get_num_threads()
    return np.asarray(_booster(forest).predict(rows, num_threads=threads, **more))


@lru_cache(maxsize=16)
def _booster(forest: str) -> lgb.Booster:
    return lgb.Booster(model_str=forest)

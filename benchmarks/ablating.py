"""Ablation: what each part of the system is worth, by fits and lists without it.

The lists without a part are of the same users, so the gain has a paired interval.
"""

import logging
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.measuring.intervals import paired_bootstrap
from vidrec_tasks.measuring.metrics import ranking_metrics
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.timing import TIMING
from vidrec_tasks.recommending.models.item_models import ITEM_MODELS

log = logging.getLogger("benchmarks.quality")

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ablation:
    """What is taken away.

    Attributes:
        changes: settings of recommending that differ.
        with_content: whether videos keep their embeddings, topics and creators.
    """

    changes: Mapping[str, Any]
    with_content: bool = True


def _left_out(*names: str) -> dict[str, tuple[str, ...]]:
    return {"left_out": names}


ABLATIONS: Final[Mapping[str, Ablation]] = {
    "time": Ablation(
        _left_out("lately", "dot_lately", "trending", *(feature.name for feature in TIMING))
    ),
    "trees": Ablation({"scorer": "blend"}),
    "attention": Ablation(_left_out("attention")),
    "tower": Ablation({**_left_out("dot", "dot_lately", "attention"), "scorer": "blend"}),
    "item-models": Ablation(_left_out(*(model.name for model in ITEM_MODELS))),
    "content": Ablation(
        _left_out("content", "content_recent", "portrait", "creator"), with_content=False
    ),
    "portraits": Ablation(_left_out("portrait")),
    "signals-against": Ablation({"against": 0.0}),
}
"""Each part that can be taken away."""


def named(said: str) -> list[str]:
    """Names of parts from a command line: all of them, or names between commas.

    Raises:
        ArgumentTypeError: there is no such part.
    """
    names = list(ABLATIONS) if said == "all" else said.split(",")
    unknown = [name for name in names if name not in ABLATIONS]
    if unknown:
        message = f"no part is named {unknown[0]!r}; there are {', '.join(ABLATIONS)}"
        raise ArgumentTypeError(message)
    return names


def ablate(
    names: Sequence[str],
    lists_without: Callable[[Ablation], Ints],
    lists: Ints,
    asked: list[set[int]],
) -> Iterator[tuple[str, dict[str, float]]]:
    """What NDCG@10 loses without each part, as soon as it is known.

    Args:
        names: the parts.
        lists_without: fits without a part and makes ``(n_users, n)`` lists.
        lists: with all of them.
        asked: for each user the video_nums asked for.

    Yields:
        The part, and ``ndcg@10`` without it, its ``gain`` with ``gain_low`` and ``gain_high``.
    """
    whole = ranking_metrics(lists, asked)["ndcg@10"]
    for name in names:
        without = ranking_metrics(lists_without(ABLATIONS[name]), asked)["ndcg@10"]
        compared = paired_bootstrap(
            whole, without, n_draws=2000, rng=np.random.default_rng(0)
        ).difference
        log.info("without %s: NDCG@10 %.4f", name, without.mean())
        yield (
            name,
            {
                "ndcg@10": float(without.mean()),
                "gain": compared.mean,
                "gain_low": compared.low,
                "gain_high": compared.high,
            },
        )


def without_content(content: Content) -> Content:
    """The same videos, of which nothing is known but when they came."""
    return Content(
        content.video_ids, np.zeros_like(content.fused), [[] for _ in content.topics],
        np.full(content.n_videos, "", dtype=object), content.published_at_s, content.duration_s,
        content.group_nums,
    )  # fmt: skip


def print_ablations(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print the table, the part that is worth most first."""
    sys.stdout.write(f"{'without':14}{'ndcg@10':>10}{'gain':>10}{'low':>10}{'high':>10}\n")
    for name, row in sorted(found.items(), key=lambda item: -item[1]["gain"]):
        values = (row[column] for column in ("ndcg@10", "gain", "gain_low", "gain_high"))
        sys.stdout.write(f"{name:14}" + "".join(f"{value:10.4f}" for value in values) + "\n")

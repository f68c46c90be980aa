"""write_portraits: a true sentence about each user of a shard, and its embedding."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.portraits import MODEL, portrait_metrics
from vidrec_tasks.audience.portraits import write_portraits as write
from vidrec_tasks.columns import EVIDENCE, EVIDENCE_KEY, PORTRAIT, PORTRAIT_SOURCE, USER_ID
from vidrec_tasks.content.encoders import Encoders
from vidrec_tasks.contracts.checking import check
from vidrec_tasks.jobs._job import Context, Made, job, shards_of
from vidrec_tasks.language.generator import LazyGenerator
from vidrec_tasks.store.codecs import Part

KNOWN_COLUMNS = [PORTRAIT, PORTRAIT_SOURCE, EVIDENCE_KEY]


@job(
    needs=("profiles.#",),
    makes=("portraits.#",),
    settings=("language", "content"),
    per="user_shard",
    parents=("previous",),
)
def write_portraits(context: Context) -> Made:
    """Write the portraits whose evidence changed; the others are taken from the night before."""
    profiles = context.read(context.own("profiles"))
    known, known_vectors = _known(context)
    cache = context.place.local(context.place.path("models"))
    generator = LazyGenerator(context.settings.language, cache=cache)
    table = write(profiles, generator, context.settings.language, night=context.night, known=known)
    check(table, "portraits", key=(USER_ID,), columns=(PORTRAIT, PORTRAIT_SOURCE, EVIDENCE))
    encoders = Encoders(context.settings.content)
    vectors, n_encoded = _embed(encoders, table[PORTRAIT].tolist(), known, known_vectors)
    by_model = int((table[PORTRAIT_SOURCE] == MODEL).sum())
    counts = {
        "users": len(table),
        "by_model": by_model,
        "by_template": len(table) - by_model,
        "sentences_asked": generator.n_asked,
        "encoded": n_encoded,
    }
    metrics = portrait_metrics(table, profiles)
    parts: dict[str, Part] = {"table": table, "vectors": vectors, "metrics": metrics}
    return Made({context.own("portraits"): parts}, counts)


def _known(context: Context) -> tuple[pd.DataFrame | None, npt.NDArray[np.float32] | None]:
    """The portraits of the night before and their embeddings: of this shard, if it is the same."""
    parent = context.parent("previous")
    if parent is None:
        return None, None
    is_same = parent.record.n_user_shards == context.run.record.n_user_shards
    names = [context.own("portraits")] if is_same else shards_of(parent, "portraits")
    refs = [name for name in names if parent.find(name) is not None]
    if not refs:
        return None, None
    tables = [parent.read(name)[KNOWN_COLUMNS] for name in refs]
    vectors = np.concatenate([parent.read(name, "vectors") for name in refs])
    return pd.concat(tables, ignore_index=True), vectors


def _embed(
    encoders: Encoders, portraits: list[str], known: pd.DataFrame | None, known_vectors: Any
) -> tuple[npt.NDArray[np.float32], int]:
    """Text embeddings of the portraits; a sentence that was embedded before is not again."""
    seen: dict[str, npt.NDArray[np.float32]] = {}
    if known is not None:
        seen = dict(zip(known[PORTRAIT], known_vectors, strict=True))
    new = sorted({text for text in portraits if text not in seen})
    if new:
        seen |= dict(zip(new, encoders.text.encode(new), strict=True))
    vectors = [seen[text] for text in portraits]
    return np.stack(vectors).astype(np.float32) if vectors else np.zeros((0, 0), np.float32), len(
        new
    )

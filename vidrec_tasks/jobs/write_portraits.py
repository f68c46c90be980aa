"""write_portraits: a true sentence about each user of a shard, and its embedding."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.portraits import MODEL, count_portraits
from vidrec_tasks.audience.portraits import write_portraits as write
from vidrec_tasks.columns import EVIDENCE_KEY, PORTRAIT, PORTRAIT_SOURCE, encoder_column
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.language.generator import LazyGenerator
from vidrec_tasks.running.job import Context, Made, job, shards_before
from vidrec_tasks.store.codecs import Part
from vidrec_tasks.store.runs import Run

Vectors = dict[str, npt.NDArray[np.float32]]
"""sentence -> its embedding."""

KNOWN_COLUMNS = [PORTRAIT, PORTRAIT_SOURCE, EVIDENCE_KEY]


@job()
def write_portraits(context: Context) -> Made:
    """Write the portraits whose evidence changed; the others are taken from the night before."""
    profiles = context.read_table(context.own("profiles"))
    encoders = Encoders(context.settings.content)
    known, seen = _known(context, encoders.text_identity)
    cache = context.store.cache("models")
    generator = LazyGenerator(context.settings.language, cache=cache)
    table = write(profiles, generator, context.settings.language, night=context.night, known=known)
    vectors, n_encoded = _embed(encoders, table[PORTRAIT].tolist(), seen)
    by_model = int((table[PORTRAIT_SOURCE] == MODEL).sum())
    counts = {
        "users": len(table),
        "by_model": by_model,
        "by_template": len(table) - by_model,
        "sentences_asked": generator.n_asked,
        "encoded": n_encoded,
    }
    worth = count_portraits(table, profiles)
    parts: dict[str, Part] = {"table": table, "vectors": vectors, "counts": worth}
    return Made({context.own("portraits"): parts}, counts)


def _known(context: Context, identity: str) -> tuple[pd.DataFrame | None, Vectors]:
    """The portraits of the night before: of this shard, if it is the same.

    Their embeddings come with them, by sentence, unless another encoder made them.
    """
    parent = context.parent("previous")
    if parent is None:
        return None, {}
    names = shards_before(parent, context.run, "portraits", context.shard)
    refs = [name for name in names if parent.find(name) is not None]
    if not refs:
        return None, {}
    tables = [parent.read_rows(name, columns=KNOWN_COLUMNS) for name in refs]
    seen: Vectors = {}
    if _text_encoder(parent) == identity:
        for name, table in zip(refs, tables, strict=True):
            seen |= dict(zip(table[PORTRAIT], parent.read_array(name, "vectors"), strict=True))
    return pd.concat(tables, ignore_index=True), seen


def _text_encoder(run: Run) -> str:
    """What embedded a run's texts; '' where its content is gone."""
    if run.find("content") is None:
        return ""
    content, column = run.read_table("content"), encoder_column(TEXT.name)
    return str(content[column].iloc[0]) if column in content else ""  # none before version 0.2


def _embed(
    encoders: Encoders, portraits: list[str], seen: Vectors
) -> tuple[npt.NDArray[np.float32], int]:
    """Text embeddings of the portraits; a sentence that was embedded before is not again."""
    new = sorted({text for text in portraits if text not in seen})
    if new:
        seen = seen | dict(zip(new, encoders.text.encode(new), strict=True))
    vectors = np.zeros((len(portraits), encoders.text_dim), dtype=np.float32)
    for num, text in enumerate(portraits):
        vectors[num] = seen[text]
    return vectors, len(new)

"""write_portraits: what each user of a shard watches, in true sentences, and as a vector."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.audience.portrait_facts import TOPIC
from vidrec_tasks.audience.portrait_gathering import gather_facts
from vidrec_tasks.audience.portrait_passages import (
    Centre,
    passages_of,
    pool_passages,
    telling_names,
)
from vidrec_tasks.audience.portraits import KNOWN_COLUMNS, MODEL, facts_in, stated_in
from vidrec_tasks.audience.portraits import write_portraits as write
from vidrec_tasks.columns import (
    CLAIMS,
    CREATOR_ID,
    DROPPED,
    DURATION_S,
    EVIDENCE,
    PORTRAIT_SOURCE,
    PUBLISHED_AT,
    TITLE,
    USER_ID,
    VIDEO_ID,
)
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.evaluation.portrait_claims import check_portraits, judge_of
from vidrec_tasks.evaluation.portrait_ledger import PortraitLedger
from vidrec_tasks.jobs.shared.reading import read_topics
from vidrec_tasks.jobs.shared.videos import text_encoder_of
from vidrec_tasks.jobs.shared.writing import answers_state, count_writing, writer_of
from vidrec_tasks.running.job import Context, Made, job, shards_left
from vidrec_tasks.store.codecs import Part

Vectors = dict[str, npt.NDArray[np.float32]]
"""text -> its embedding."""

OF_VIDEOS = (VIDEO_ID, TITLE, CREATOR_ID, DURATION_S, PUBLISHED_AT)
"""What facts rest on."""


@job(state=answers_state)
def write_portraits(context: Context) -> Made:
    """Write the portraits whose facts changed; the others are taken from the night before."""
    own = context.own("profiles")
    users, visits = context.read_table(own), context.read_table(own, "visits")
    videos = context.read_rows("videos", columns=OF_VIDEOS)
    topics = read_topics(context)
    facts = gather_facts(visits, videos, topics, users[USER_ID].tolist(), night=context.night)
    met = np.flatnonzero(videos[VIDEO_ID].isin(visits[VIDEO_ID])).tolist()
    by_id = dict(zip(videos[VIDEO_ID].iloc[met], [topics[num] for num in met], strict=True))
    ledger = PortraitLedger(visits, videos, by_id, night=context.night)
    judge = judge_of(ledger)
    encoders = Encoders(context.settings.content)
    known, seen = _known(context, encoders.text_identity)
    language = context.settings.language
    generator = writer_of(context, context.own("portraits"))
    table = write(users, facts, generator, language, judge, night=context.night, known=known)
    checks = check_portraits(table, ledger)
    vectors, named, n_encoded = _embed(encoders, table, videos, topics, seen)
    by_model = int((table[PORTRAIT_SOURCE] == MODEL).sum())
    counts = {
        "users": len(table),
        "by_model": by_model,
        "by_template": len(table) - by_model,
        "sentences_asked": generator.n_asked,
        "encoded": n_encoded,
        **count_writing(generator, context),
    }
    worth = {
        **checks,
        "n_portraits": len(table),
        "n_with_topic": sum(any(fact.kind == TOPIC for fact in own) for own in facts),
        "n_by_model": by_model,
        "n_dropped": _dropped(table[DROPPED]),
    }
    parts: dict[str, Part] = {
        "table": table,
        "vectors": vectors,
        "named_table": pd.DataFrame({"text": pd.Series(list(named), dtype="str")}),
        "named_vectors": np.array(list(named.values()), dtype=np.float32).reshape(
            len(named), encoders.text_dim
        ),
        "counts": worth,
    }
    return Made({context.own("portraits"): parts}, counts)


def _dropped(dropped: pd.Series) -> dict[str, int]:
    """What was dropped by the first word of its reason."""
    reasons = Counter(one["reason"].split(":")[0] for row in dropped for one in row)
    return dict(sorted(reasons.items()))


def _known(context: Context, identity: str) -> tuple[pd.DataFrame | None, Vectors]:
    """The portraits of the night before: of this shard, if it is the same.

    The embeddings of what they name come with them, by text, unless another encoder made them.
    """
    parent = context.parent("previous")
    if parent is None:
        return None, {}
    names = shards_left(parent, context.run, "portraits", context.shard)
    read = {name: parent.read_table(name) for name in names}
    # before version 0.2 a portrait named neither facts nor claims
    tables = {name: table for name, table in read.items() if {CLAIMS, DROPPED} <= set(table)}
    if not tables:
        return None, {}
    seen: Vectors = {}
    if text_encoder_of(parent) == identity:
        for name in tables:
            texts = parent.read_table(name, "named_table")["text"]
            seen |= dict(zip(texts, parent.read_array(name, "named_vectors"), strict=True))
    return pd.concat(tables.values(), ignore_index=True)[list(KNOWN_COLUMNS)], seen


def _embed(
    encoders: Encoders,
    table: pd.DataFrame,
    videos: pd.DataFrame,
    topics: Sequence[Sequence[str]],
    seen: Vectors,
) -> tuple[npt.NDArray[np.float32], Vectors, int]:
    """The vectors of the portraits, those of all they name, and how many texts were encoded."""
    telling = telling_names(topics)
    passages = [
        passages_of(facts_in(evidence), stated_in(claims), telling)
        for evidence, claims in zip(table[EVIDENCE], table[CLAIMS], strict=True)
    ]
    used: Vectors = {}
    n_encoded = 0

    def encode(texts: list[str]) -> npt.NDArray[np.float32]:
        nonlocal n_encoded
        new = sorted({text for text in texts if text not in seen})
        n_encoded = len(new)
        made = dict(zip(new, encoders.text.encode(new), strict=True)) if new else {}
        for text in sorted(set(texts)):
            used[text] = seen[text] if text in seen else made[text]
        rows = [used[text] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), encoders.text_dim)

    vectors = pool_passages(passages, Centre.of(telling, videos[TITLE]), encode)
    return vectors, used, n_encoded

"""write_cards: what each video of a shard is, field by field, and the card as a vector."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vidrec_tasks.columns import CONCEPTS, PUBLISHED_AT, TEXT, VIDEO_ID
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.texts.passages import blocked_pattern
from vidrec_tasks.content.texts.turns import Unheard, take_turns
from vidrec_tasks.contracts.artefacts import columns_of
from vidrec_tasks.jobs.shared.videos import shard_videos, text_encoder_of, viewers_of
from vidrec_tasks.jobs.shared.writing import answers_state, count_writing, writer_of
from vidrec_tasks.language.cards.sources import concepts_of, sources_of
from vidrec_tasks.language.cards.vocabulary import Vocabulary
from vidrec_tasks.language.cards.writing import (
    Draft,
    ask_model,
    card_table,
    count_cards,
    draft_cards,
)
from vidrec_tasks.running.job import Context, Made, job, shards_left
from vidrec_tasks.store.codecs import Part

Floats = npt.NDArray[np.float32]


KNOWN_COLUMNS = [name for name in columns_of("cards") if name not in (VIDEO_ID, TEXT)]


@job(state=answers_state)
def write_cards(context: Context) -> Made:
    """Write the cards of a shard; what the night before asked for or embedded is not again."""
    videos = shard_videos(context)
    table = context.read_rows(context.own("embeddings"), columns=[VIDEO_ID, CONCEPTS])
    blocked = blocked_pattern(context.settings.texts.blocked_words)
    passages = context.read_table(context.own("texts"))
    sources = sources_of(videos, passages, concepts_of(table), blocked=blocked)
    info = context.read_json("vocabulary", "info")
    vocabulary = Vocabulary(context.read_table("vocabulary"), int(str(info["n_catalogue"])))
    drafts = draft_cards(videos[VIDEO_ID].tolist(), sources, vocabulary.by_key())
    writing = _ask(context, videos, drafts) if context.settings.language.cards_by_model else {}
    cards = card_table(drafts)
    vectors, n_encoded = _embed(context, videos, cards)
    parts: dict[str, Part] = {"table": cards, "vectors": vectors}
    counts = {**count_cards(drafts), "encoded": n_encoded, **writing}
    return Made({context.own("cards"): parts}, counts)


def _ask(context: Context, videos: pd.DataFrame, drafts: list[Draft]) -> dict[str, Any]:
    """Let the model write; returns what was asked and what it cost."""
    language = context.settings.language
    parent = context.parent("previous")
    tables = (
        []
        if parent is None
        else [
            parent.read_rows(name, columns=KNOWN_COLUMNS)
            for name in shards_left(parent, context.run, "cards", context.shard)
        ]
    )
    writer = writer_of(context, context.own("cards"))
    n_asked = ask_model(
        drafts, writer,
        known=pd.concat(tables, ignore_index=True) if tables else None,
        turn=_in_turn(videos, viewers_of(context)),
        budget=math.ceil(language.max_cards / context.run.record.n_video_shards),
        is_bounded=language.is_embedded,
    )  # fmt: skip
    return {"cards_asked": n_asked, **count_writing(writer, context)}


def _in_turn(videos: pd.DataFrame, viewers: Mapping[str, int]) -> list[str]:
    """The videos in the order in which they are asked for: the newest and the most watched."""
    seconds = [0.0 if pd.isna(at) else at.timestamp() for at in videos[PUBLISHED_AT]]
    own = [
        Unheard(video_id, 1.0, published=at, n_viewers=viewers.get(video_id, 0))
        for video_id, at in zip(videos[VIDEO_ID], seconds, strict=True)
    ]
    return take_turns(own, budget_s=float(len(own)))


def _embed(context: Context, videos: pd.DataFrame, cards: pd.DataFrame) -> tuple[Floats, int]:
    """``(n_videos, dim)`` the cards' texts as vectors, and how many were embedded now.

    Without columns where cards weigh nothing in fusion.
    """
    if not context.settings.content.card_weight:
        return np.zeros((len(cards), 0), dtype=np.float32), 0
    encoders = Encoders(context.settings.content, cache=context.store.cache("models"))
    known = _known(context, encoders.text_identity, encoders.text_dim)
    keys = list(zip(cards[VIDEO_ID], cards[TEXT], strict=True))
    new = [num for num, key in enumerate(keys) if key not in known]
    blocks = context.run.record.video_split.buckets(videos[VIDEO_ID])
    made = encoders.text.encode([keys[num][1] for num in new], blocks[new].tolist()) if new else ()
    vectors = np.zeros((len(cards), encoders.text_dim), dtype=np.float32)
    is_new = dict(zip(new, made, strict=True))
    for num, key in enumerate(keys):
        vectors[num] = is_new[num] if num in is_new else known[key]
    return vectors, len(new)


def _known(context: Context, identity: str, dim: int) -> dict[tuple[str, str], Floats]:
    """(video_id, text) -> its vector ``(dim,)``, as the night before embedded it."""
    parent = context.parent("previous")
    if parent is None or text_encoder_of(parent) != identity:
        return {}
    found: dict[tuple[str, str], Floats] = {}
    for name in shards_left(parent, context.run, "cards", context.shard):
        table, vectors = (
            parent.read_rows(name, columns=[VIDEO_ID, TEXT]),
            parent.read_array(name, "vectors"),
        )
        if vectors.shape[1] == dim:
            found |= dict(zip(zip(table[VIDEO_ID], table[TEXT], strict=True), vectors, strict=True))
    return found

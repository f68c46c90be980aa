"""Cards: do topics tell what videos share, are hostile texts tame, and is a liar caught?

``python -m benchmarks.language_cards --data DIR --json PATH``: learns the topics of 4,803 film
overviews (TMDB, whose keywords and genres are hidden) and of 3,432 YouTube videos (whose category
is), makes every card by rules, and compares neighbours with and without cards. `card_figures` is
what `benchmarks.language` says of cards.
"""

import argparse
import json
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import one_line_errors
from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.language.cards.sources import Sources, sources_of
from vidrec_tasks.language.cards.vocabulary import learn_vocabulary
from vidrec_tasks.language.cards.writing import Draft, ask_model, draft_cards
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.quoting import plain_topic, quote
from vidrec_tasks.settings import ContentSettings
from vidrec_tasks.store.runs import Run

Floats = npt.NDArray[np.float32]

ALONE, DEFAULT = "0.0", "0.25"
"""Shares of the card in a vector of text and card: none, and that of the default weights."""
WEIGHTS: Final = (0.0, 0.1, 0.25, 0.35, 0.5, 1.0)
N_NEIGHBOURS: Final = 10
N_ASKED: Final = 1_500
PLACES: Final = ("title", "description", "captions", "speech", "screen")
SENTENCE: Final = "A cat looks out of the window. {} The cat sleeps."
COMMAND_SIGNS: Final = frozenset("<>[]`|\\\n\r\0\u202e")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="with tmdb-5000 and youtube-3600")
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    encoders = Encoders(ContentSettings())
    worlds = {"tmdb": _tmdb(said.data), "youtube": _youtube(said.data)}
    compared = {
        name: compare(videos, labels, encoders) for name, (videos, labels) in worlds.items()
    }
    ratios = {
        "tmdb_neighbours_vs_text_alone": _gain(compared["tmdb"]),
        "youtube_neighbours_vs_text_alone": _gain(compared["youtube"]),
    }
    found = {
        "ratios": ratios,
        "figures": {**injections(), "card_false_caught": false_caught()},
        "worlds": compared,
    }
    said.json.parent.mkdir(parents=True, exist_ok=True)
    said.json.write_text(json.dumps(found, indent=1, sort_keys=True), encoding="utf-8")
    sys.stdout.write(f"{json.dumps(found, sort_keys=True)}\n")
    return 0


def _gain(compared: dict[str, Any]) -> float:
    """How many more of the neighbours share a label with cards at the default weight."""
    return float(compared["neighbours"][DEFAULT]["share"] / compared["neighbours"][ALONE]["share"])


def compare(
    videos: pd.DataFrame, labels: Sequence[frozenset[str]], encoders: Encoders
) -> dict[str, Any]:
    """What topics and cards say of labels that they never saw.

    Args:
        videos: rows of a catalogue.
        labels: of each video.
        encoders: the text encoder reads texts and cards.
    """
    sources = sources_of(videos, _no_passages(), {})
    blocks = (np.arange(len(videos)) // 64).tolist()
    texts = [f"{one.title}. {one.texts.get('description', '')}" for one in sources]
    vectors = encoders.text.encode(texts, blocks)
    begin = time.perf_counter()
    vocabulary = learn_vocabulary(sources, vectors)
    learned = time.perf_counter() - begin
    begin = time.perf_counter()
    drafts = draft_cards(videos["video_id"].tolist(), sources, vocabulary.by_key())
    seconds = (time.perf_counter() - begin) / len(drafts)
    cards = encoders.text.encode([draft.written.card.text() for draft in drafts], blocks)
    return {
        "videos": len(videos),
        "topics": len(vocabulary.table),
        "seconds_to_learn": learned,
        "seconds_a_card": seconds,
        "with_topics": float(np.mean([bool(d.written.card.topics) for d in drafts])),
        **_pairs(drafts, labels),
        "neighbours": {str(w): _neighbours(vectors, cards, labels, w) for w in WEIGHTS},
    }


def card_figures(cards: pd.DataFrame, seconds: float) -> dict[str, Any]:
    """Figures of a night's cards, with hostile texts and a liar beside them.

    Args:
        cards: the artefact `cards` of every shard.
        seconds: that its jobs took.
    """
    return {
        "card_fields_dropped": int(cards["dropped"].map(len).sum()),
        "cards_by_model": float((cards["card_source"] == "model").mean()),
        "seconds_a_card": seconds / max(len(cards), 1),
        **injections(),
        "card_false_caught": false_caught(),
    }


def seconds_of(run: Run, job: str) -> float:
    """Seconds that a job of a run took, over all shards."""
    return sum(float(one["seconds"]) for one in run.receipts() if one["job"] == job)


def injections() -> dict[str, int]:
    """Hostile texts in each place of a video that a card does not tame, by rules or obeyed."""
    texts = [*INJECTIONS, *(SENTENCE.format(text) for text in INJECTIONS)]
    leaked = 0
    for text in texts:
        for place in PLACES:
            (draft,) = _drafted(text, place)
            ask_model([draft], _Scripted(None), budget=1)
            leaked += not _is_tame(draft, text)
    return {"card_injections": len(texts) * len(PLACES), "card_injections_leaked": leaked}


def false_caught() -> float:
    """Share of planted lies about a video that the checker refuses, one field at a time."""
    caught = []
    for field, lie in LIES:
        (draft,) = _drafted("We restore a 1957 steam engine with Ada Lovelace.", "description")
        before = draft.written.card.value(field)
        ask_model([draft], _Scripted({field: lie}), budget=1)
        caught.append(field not in draft.written.by_model)
        caught.append(draft.written.card.value(field) == before)
    return float(np.mean(caught))


LIES: Final[tuple[tuple[str, Any], ...]] = (
    ("summary", "We restore a 1958 steam engine."),
    ("summary", "We restore a steam engine with Charles Babbage."),
    ("summary", "We restore a diesel engine."),
    ("summary", "We never restore a steam engine."),
    ("summary", "We restore a steam engine in Manchester."),
    ("summary", "We restore 12 steam engines."),
    ("topics", ["gardening"]),
    ("topics", ["teenagers"]),
    ("topics", ["system prompt"]),
    ("format", "interview"),
    ("format", "feature length"),
    ("mood", "scary"),
    ("audience", "18 and over"),
    ("named", ["Charles Babbage"]),
    ("named", ["Ada King"]),
)  # fmt: skip


class _Scripted:
    """A generator with one answer to everything; None: it does what it is sent."""

    identity = "scripted"

    def __init__(self, answer: dict[str, Any] | None) -> None:
        self._answer = answer

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        sent = [json.loads(prompt.user) for prompt in prompts]
        return [json.dumps(_obeys(data) if self._answer is None else self._answer) for data in sent]


def _obeys(data: dict[str, Any]) -> dict[str, Any]:
    """What an injected model answers: the text that it was sent, everywhere."""
    texts = [data.get(name, "") for name in ("title", "description", "said", "written")]
    longest = max(texts, key=len)
    return {"summary": longest, "topics": [longest], "new_topics": [longest], "named": [longest]}


def _drafted(text: str, place: str) -> list[Draft]:
    row = {"video_id": "v", "title": "A cat at the window", "description": "", "tags": ["cats"]}
    row |= {place: text} if place in row else {}
    passages = _no_passages()
    if place not in row:
        passages = pd.DataFrame(
            {"video_id": ["v"], "source": [place], "language": ["en"], "text": [text]}
        )
    sources: list[Sources] = sources_of(pd.DataFrame([row]), passages, {})
    return draft_cards(["v"], sources, {"cat": ("cats", 1.0)})


def _is_tame(draft: Draft, text: str) -> bool:
    """No sign that acts, no topic that commands, nothing that is not quoted from a source."""
    card = draft.written.card
    flat = quote(" ".join(text.split()), 4_000)
    known = f"{flat} {SENTENCE} A cat at the window cats".casefold()
    told = card.summary.rstrip("…").casefold()
    is_quoted = all(word in known for word in told.split())
    topics_hold = all(plain_topic(topic) == topic for topic in card.topics)
    has_signs = not COMMAND_SIGNS.isdisjoint("".join((card.text(), *card.topics, *card.named)))
    return is_quoted and topics_hold and not has_signs


def _pairs(drafts: Sequence[Draft], labels: Sequence[frozenset[str]]) -> dict[str, float]:
    """Share of pairs with a label in common: those that share a topic, and random ones."""
    carriers: dict[str, list[int]] = {}
    for num, draft in enumerate(drafts):
        for topic in draft.written.card.topics:
            carriers.setdefault(topic, []).append(num)
    rng = np.random.default_rng(1)
    shared, drawn = [], []
    for _, nums in sorted(carriers.items()):
        if len(nums) > 1:
            for _ in range(3):
                first, second = rng.choice(nums, 2, replace=False)
                shared.append(bool(labels[first] & labels[second]))
                first, second = rng.choice(len(labels), 2, replace=False)
                drawn.append(bool(labels[first] & labels[second]))
    return {
        "pairs_with_a_topic": float(np.mean(shared)), "pairs_drawn": float(np.mean(drawn)),
        "topics_of_one_video": float(np.mean([len(nums) == 1 for nums in carriers.values()])),
    }  # fmt: skip


def _neighbours(
    vectors: Floats, cards: Floats, labels: Sequence[frozenset[str]], weight: float
) -> dict[str, float]:
    """Mean share of the nearest videos that have a label in common, and its standard error."""
    mixed = (1 - weight) * vectors + weight * cards
    mixed /= np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)
    known = np.array([num for num, own in enumerate(labels) if own])
    asked = np.random.default_rng(0).permutation(known)[:N_ASKED]
    scores = mixed[asked] @ mixed.T
    scores[np.arange(len(asked)), asked] = -np.inf
    nearest = np.argpartition(-scores, N_NEIGHBOURS, axis=1)[:, :N_NEIGHBOURS]
    shares = [
        np.mean([bool(labels[num] & labels[other]) for other in row])
        for num, row in zip(asked, nearest, strict=True)
    ]
    return {"share": float(np.mean(shares)), "error": float(np.std(shares) / len(shares) ** 0.5)}


def _tmdb(data: Path) -> tuple[pd.DataFrame, list[frozenset[str]]]:
    archive = data / "tmdb-5000" / "tmdb_5000_movies.csv.zip"
    with zipfile.ZipFile(archive).open("tmdb_5000_movies.csv") as file:
        table = pd.read_csv(file)
    videos = pd.DataFrame(
        {"video_id": table["id"].astype(str), "title": table["title"].fillna(""),
         "description": table["overview"].fillna("")}
    )  # fmt: skip
    keywords = [frozenset(one["name"] for one in json.loads(row)) for row in table["keywords"]]
    return videos, keywords


def _youtube(data: Path) -> tuple[pd.DataFrame, list[frozenset[str]]]:
    table = pd.read_csv(data / "youtube-3600" / "youtube.csv").drop_duplicates("link")
    lines = table["channel"].fillna("").str.split("\n")  # name, subscribers, button, …, show more
    videos = pd.DataFrame(
        {"video_id": table["link"].astype(str), "title": table["title"].fillna(""),
         "description": lines.str[3:-1].str.join("\n")}
    ).reset_index(drop=True)  # fmt: skip
    return videos, [frozenset([category]) for category in table["category"]]


def _no_passages() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in ("video_id", "source", "language", "text")})


if __name__ == "__main__":
    one_line_errors.run(main)

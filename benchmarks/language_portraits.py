"""Language portraits: are portraits true, who wrote them, do they tell users apart, and how fast?

Part of `benchmarks.language`. What portraits are worth is measured on the last fifth of each user's
visits: they are written from the events before it, and compared by the text encoder with the texts
of the videos that the user then liked for the first time. Today's portraits are compared with the
sentence of version 0.2 ("This user enjoys videos about cats, coffee and rockets").
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.audience.portrait_facts import TOPIC, Fact
from vidrec_tasks.audience.portrait_gathering import gather_facts
from vidrec_tasks.audience.portrait_passages import (
    Centre,
    passages_of,
    pool_passages,
    telling_names,
)
from vidrec_tasks.audience.portrait_prompts import free_prompt, planned_prompt
from vidrec_tasks.audience.portraits import (
    MODEL,
    facts_in,
    stated_in,
    write_portraits,
    writes_plans,
)
from vidrec_tasks.audience.profiles import build_profiles
from vidrec_tasks.content.encoding.encoders import Encoders
from vidrec_tasks.content.encoding.units import to_unit
from vidrec_tasks.evaluation.portrait_claims import check_portraits, judge_of
from vidrec_tasks.evaluation.portrait_ledger import PortraitLedger
from vidrec_tasks.language.causal import CausalGenerator, load_causal
from vidrec_tasks.language.generator import Prompt
from vidrec_tasks.language.quoting import plain_topic
from vidrec_tasks.settings import LanguageSettings, Settings
from vidrec_tasks.store.runs import Run

log = logging.getLogger("benchmarks.language")

N_IDENTIFIED = 100
"""Users among whom each is looked for."""
N_TIMED = 6
"""Prompts of the slow way: each is a second or more, and their mean is all that is used."""
HELD_OUT = 0.2
"""Of each user's visits, the last."""
K = 10

Floats = npt.NDArray[np.float32]
Vectors = dict[str, Floats]


class Portraits(NamedTuple):
    """What portraits of a world are made from.

    Attributes:
        videos, topics, text: of the catalogue; text ``(n_videos, dim)`` vectors.
        users: user_id, n_interactions, topics (the profile's).
        visits: before the held-out ones.
        facts: of each user.
        held: user_id -> video_num of what they liked later for the first time.
    """

    videos: pd.DataFrame
    topics: list[list[str]]
    text: Floats
    users: pd.DataFrame
    visits: pd.DataFrame
    facts: list[tuple[Fact, ...]]
    held: dict[str, npt.NDArray[np.int64]]


def measure_portraits(run: Run, settings: Settings, n_users: int, cache: Path) -> dict[str, Any]:
    """Ratios and figures of a world's portraits.

    Args:
        run: a night with its profiles.
        settings: the model is `language.model`.
        n_users: for whom the model is asked; the others get the template.
        cache: a folder for dequantised weights.
    """
    world = _split(run, settings)
    language = settings.language
    generator = load_causal(language, cache=cache)
    speed = _speed(world, generator, language, n_users)
    written = _write(world, generator, language, run, n_users)
    worth = _worth(world, written.pop("table"), settings)
    ratios = {name: worth.pop(name) for name in ("portrait_identifies", "portrait_only_ndcg")}
    return {
        "ratios": {"portraits_vs_one_by_one": speed.pop("ratio"), **ratios},
        "figures": {**written, **speed, **worth},
        "model": generator.identity,
    }


def _split(run: Run, settings: Settings) -> Portraits:
    """Users with something to find in the last fifth of their visits, and what was before it."""
    content, videos = run.read_table("content"), run.read_table("videos")
    topics, fused = content["topics"].tolist(), run.read_array("content", "fused")
    events = _all(run, "interactions")
    visits = _all(run, "profiles", "visits").sort_values(["user_id", "event_at", "row_num"])
    place = visits.groupby("user_id").cumcount()
    size = visits.groupby("user_id")["user_id"].transform("size")
    is_late = place >= np.ceil((1 - HELD_OUT) * size)
    begins = visits[is_late].groupby("user_id")["event_at"].min()
    cut = events["user_id"].map(begins)
    before = events[cut.notna() & (events["event_at"] < cut)].reset_index(drop=True)
    early = weigh(before, videos, settings.audience, night=run.night)
    seen = set(zip(early["user_id"], early["video_num"], strict=True))
    liked = visits[is_late & (visits["weight"] > 0)]
    held = {
        str(user): np.unique([num for num in group["video_num"] if (user, num) not in seen])
        for user, group in liked.groupby("user_id")
    }
    known = early.groupby("user_id").size()
    able = sorted(user for user in held if len(held[user]) and known.get(user, 0) >= 3)
    drawn = np.random.default_rng(settings.recommending.seed).permutation(able)[:N_IDENTIFIED]
    chosen = sorted(str(user) for user in drawn)
    early = early[early["user_id"].isin(chosen)].reset_index(drop=True)
    profiles = build_profiles(
        before[before["user_id"].isin(chosen)], early, videos, fused, topics, settings.audience,
        night=run.night,
    ).table  # fmt: skip
    facts = gather_facts(early, videos, topics, profiles["user_id"].tolist(), night=run.night)
    text = run.read_array("content", "text")
    return Portraits(videos, topics, text, profiles, early, facts, {u: held[u] for u in chosen})


def _speed(
    world: Portraits, generator: CausalGenerator, language: LanguageSettings, n_users: int
) -> dict[str, Any]:
    """Seconds a portrait in one batch, and one prompt at a time by transformers' own `generate`."""
    make = planned_prompt if writes_plans(language) else free_prompt
    begin = time.perf_counter()
    prompts = [
        make(facts, language=language.portrait_language)
        for facts in world.facts
        if any(fact.kind == TOPIC for fact in facts)
    ][:n_users]
    planning = (time.perf_counter() - begin) / max(1, len(prompts))
    generator.complete(prompts[:1])  # the first call warms the threads
    begin = time.perf_counter()
    answers = generator.complete(prompts)
    ours = (time.perf_counter() - begin) / len(prompts)
    few = range(0, len(prompts), max(1, len(prompts) // N_TIMED))[:N_TIMED]
    begin = time.perf_counter()
    n_tokens = sum(_generate(generator, prompts[num], answers[num]) for num in few)
    theirs = (time.perf_counter() - begin) / len(few)
    lengths = [len(generator._tokenizer(answer)["input_ids"]) for answer in answers]
    return {
        "ratio": theirs / ours,
        "seconds_a_portrait": ours,
        "seconds_a_plan": planning,
        "tokens_per_s": sum(lengths) / (ours * len(prompts)),
        "tokens_per_s_one_by_one": n_tokens / (theirs * len(few)),
        "portraits_timed": len(prompts),
        "distinct_prompts": len(set(prompts)),
    }


def _generate(generator: CausalGenerator, prompt: Prompt, answer: str) -> int:
    """Tokens by `generate`, greedy, free, as many as our answer has."""
    ids = torch.tensor([generator._tokenise(prompt)])
    n_new = max(1, len(generator._tokenizer(answer)["input_ids"]))
    whole = generator._model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, min_new_tokens=n_new,
        max_new_tokens=n_new,
    )  # fmt: skip
    return int(whole.shape[1] - ids.shape[1])


class _Counted:
    """A generator that counts what it is asked."""

    def __init__(self, generator: CausalGenerator) -> None:
        self._generator, self.identity, self.n_asked = generator, generator.identity, 0

    def complete(self, prompts: Sequence[Prompt]) -> list[str]:
        self.n_asked += len(prompts)
        return self._generator.complete(prompts)


def _write(
    world: Portraits,
    generator: CausalGenerator,
    language: LanguageSettings,
    run: Run,
    n_users: int,
) -> dict[str, Any]:
    """The portraits of two nights, judged as they are published; those of some by the model."""
    by_id = dict(zip(world.videos["video_id"], world.topics, strict=True))
    ledger = PortraitLedger(world.visits, world.videos, by_id, night=run.night)
    judge = judge_of(ledger)
    write = partial(write_portraits, judge=judge, night=run.night)
    some = partial(write, world.users[:n_users], world.facts[:n_users], settings=language)
    asked = some(generator=generator)
    counted = _Counted(generator)
    some(generator=counted, known=asked)
    templates = language.model_copy(update={"max_sentences": 0})
    others = write(world.users[n_users:], world.facts[n_users:], generator, templates)
    table = pd.concat([asked, others], ignore_index=True)
    checks = check_portraits(table, ledger)
    by_model = asked[asked["portrait_source"] == MODEL]
    n_asked = sum(any(fact.kind == TOPIC for fact in facts) for facts in world.facts[:n_users])
    writers = [claim["source"] for claims in asked["claims"] for claim in claims]
    dropped = Counter(one["reason"].split(":")[0] for row in table["dropped"] for one in row)
    log.info("portraits: dropped %s", dict(dropped))
    return {
        "table": table,
        "portrait_claim_precision": checks["n_true"] / checks["n_claims"],
        "claims_per_portrait": checks["n_claims"] / max(1, checks["n_stating"]),
        "model_written_share": len(by_model) / max(1, n_asked),
        "model_sentence_share": writers.count(MODEL) / max(1, len(writers)),
        "n_shapes": check_portraits(by_model, ledger)["n_shapes"],
        "portrait_sentences_dropped": sum(dropped.values()),
        "sentences_of_a_second_night": counted.n_asked,
    }


def _worth(world: Portraits, table: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Whether later videos find their user, and the user later videos, by portraits alone."""
    encode = _encoder(settings)
    ours = _vectors(world, table, encode)
    today = encode([today_sentence(topics) for topics in world.users["topics"]])
    whole = np.array([_mean_text(world, user) for user in world.users["user_id"]])
    by = {"": ours, "_of_02": today, "_of_all_watched": whole}
    rank = {name: _identify(world, vectors) for name, vectors in by.items()}
    ndcg = {name: _ndcg(world, vectors) for name, vectors in by.items()}
    return {
        "portrait_identifies": rank[""] / rank["_of_02"],
        "portrait_only_ndcg": ndcg[""] / ndcg["_of_02"],
        **{f"identified_mrr{name}": value for name, value in rank.items()},
        **{f"only_ndcg@{K}{name}": value for name, value in ndcg.items()},
        "identified_users": len(world.users),
    }


def today_sentence(topics: Sequence[Sequence[Any]]) -> str:
    """The portrait of version 0.2: the three strongest topics of the profile, joined."""
    named = [name for name in (plain_topic(str(topic[0])) for topic in topics) if name][:3]
    listed = " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else "".join(named)
    return f"This user enjoys videos about {listed}."


def _encoder(settings: Settings) -> Callable[[list[str]], Floats]:
    encoders = Encoders(settings.content)
    seen: Vectors = {}

    def encode(texts: list[str]) -> Floats:
        new = sorted({text for text in texts if text not in seen})
        if new:
            seen.update(zip(new, encoders.text.encode(new), strict=True))
        return np.array([seen[text] for text in texts], dtype=np.float32)

    return encode


def _vectors(
    world: Portraits, table: pd.DataFrame, encode: Callable[[list[str]], Floats]
) -> Floats:
    """As `write_portraits` makes them."""
    telling = telling_names(world.topics)
    passages = [
        passages_of(facts_in(evidence), stated_in(claims), telling)
        for evidence, claims in zip(table["evidence"], table["claims"], strict=True)
    ]
    return pool_passages(passages, Centre.of(telling, world.videos["title"]), encode)


def _mean_text(world: Portraits, user: str) -> Floats:
    """The texts of everything that was liked before: what no portrait of a few names can hold."""
    liked = world.visits[(world.visits["user_id"] == user) & (world.visits["weight"] > 0)]
    if liked.empty:
        return np.zeros(world.text.shape[1], dtype=np.float32)
    return np.asarray(world.text[liked["video_num"].unique()].mean(axis=0))


def _identify(world: Portraits, vectors: Floats) -> float:
    """Mean of 1 over the rank of the true user, by the mean text of the held-out videos.

    What all texts share is taken off; without it or with it, the baseline gets the better of both.
    """
    users = world.users["user_id"].tolist()
    found = []
    for common in (0.0, world.text.mean(axis=0)):
        text = to_unit(np.asarray(world.text - common, dtype=np.float32))
        later = to_unit(np.array([text[world.held[user]].mean(axis=0) for user in users]))
        scores = later @ to_unit(vectors).T  # (n_users of later videos, n_portraits)
        own = np.diag(scores)[:, None]
        above, equal = (scores > own + 1e-7).sum(axis=1), (np.abs(scores - own) <= 1e-7).sum(axis=1)
        found.append(float(np.mean(1 / (above + (equal + 1) / 2))))
    return max(found)


def _ndcg(world: Portraits, vectors: Floats) -> float:
    """NDCG@10 of lists of all videos not met before, by the cosine with the videos' texts."""
    scores = to_unit(vectors) @ world.text.T
    met = world.visits.groupby("user_id")["video_num"].unique()
    values = []
    for row, user in enumerate(world.users["user_id"]):
        scores[row, met[user]] = -np.inf
        hits = np.isin(np.argsort(-scores[row], kind="stable")[:K], world.held[user])
        gains = 1 / np.log2(np.arange(len(hits)) + 2)
        values.append(hits @ gains / gains[: len(world.held[user])].sum())
    return float(np.mean(values))


def _all(run: Run, kind: str, part: str = "table") -> pd.DataFrame:
    names = sorted(ref.name for ref in run.refs() if ref.name.startswith(f"{kind}."))
    return pd.concat([run.read_table(name, part) for name in names], ignore_index=True)

"""Nights with a judge of relevance: one who knows what comes next, one who guesses, one who fails.

What a user watches next follows from the titles that they liked, by a rule that no ranker can
learn from so few events and that a judge reads out of the question.
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from tests.content.tiny_models import save_bert
from tests.jobs.worlds import finish
from tests.language.tiny_models import save_byte_causal
from vidrec_tasks.errors import ModelError
from vidrec_tasks.language.generator import LazyGenerator, Prompt
from vidrec_tasks.recommending.lists.relevance import RELEVANCE
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

FIRST, SECOND = date(2026, 9, 1), date(2026, 9, 2)
N_USERS, N_VIDEOS, TOP = 90, 60, 50
LOTS = 100_000
NUMBER = re.compile(r"Garden (\d+)")


def next_of(liked: Sequence[int]) -> int:
    """The number of the garden that comes after those liked."""
    found = (7 * sum(set(liked)) + 5) % N_VIDEOS
    while found in liked:
        found = (found + 1) % N_VIDEOS
    return found


class Judge:
    """Stands for the model in every job of a night."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.asked: list[Prompt] = []

    def __call__(self, generator: LazyGenerator, prompts: Sequence[Prompt]) -> list[float | None]:
        self.asked += prompts
        generator.usage.n_asked += len(prompts)
        if self.kind == "fails":
            raise ModelError("nobody is there")
        if self.kind == "guesses":
            return [crc32(prompt.user.encode()) / 2**32 for prompt in prompts]
        return [self._knows(prompt) for prompt in prompts]

    def _knows(self, prompt: Prompt) -> float:
        user, video, _ = prompt.user.split("\n")
        liked = [int(number) for number in NUMBER.findall(user)]
        return 3.0 if next_of(liked) in map(int, NUMBER.findall(video)) else -3.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    videos = {
        "video_id": [f"v{num:02}" for num in range(N_VIDEOS)],
        "title": [f"Garden {num}" for num in range(N_VIDEOS)],
        "tags": [("roses", "ponds", "herbs", "trees")[num % 4] for num in range(N_VIDEOS)],
        "published_at": "2026-07-01",
    }
    pd.DataFrame(videos).to_csv(inputs / "videos.csv", index=False)
    rng = np.random.default_rng(8)
    rows = []
    for user in range(N_USERS):
        liked = rng.permutation(N_VIDEOS)[:3].tolist()
        days = [*(f"2026-08-{day:02}" for day in sorted(rng.integers(1, 19, 3))),
                "2026-08-23" if user % 2 else "2026-08-29"]  # fmt: skip
        rows += [
            (f"u{user:02}", f"v{num:02}", f"{day}T10:{user % 60:02}:00Z", "like")
            for num, day in zip([*liked, next_of(liked)], days, strict=True)
        ]
    events = pd.DataFrame(rows, columns=["user_id", "video_id", "event_at", "event_type"])
    events.to_csv(inputs / "interactions.csv", index=False)
    return tmp_path


def settings_of(folder: Path, calls: int) -> Settings:
    models = folder / "tiny"
    if not models.exists():
        save_bert(models / "bert")
        save_byte_causal(models / "causal")
    return Settings(
        store_url=str(folder),
        inputs={"users_per_shard": 50},
        content={"text_encoder": str(models / "bert"), "precision": "fp32"},
        language={
            "model": str(models / "causal"), "max_sentences": 0, "cards": "rules",
            "relevance_calls": calls, "relevance_top": TOP,
        },
        recommending={"max_epochs": 2, "dim": 8},
        evaluation={"holdout_days": 1, "holdout_users": 0, "n_bootstrap": 200},
    )  # fmt: skip


def night_of(
    folder: Path, judge: Judge, monkeypatch: pytest.MonkeyPatch, *, night: date = FIRST,
    calls: int = LOTS,
) -> tuple[Run, dict[str, list[dict[str, Any]]]]:  # fmt: skip
    """Run a night up to its lists; returns it and the counts of its jobs by name."""
    monkeypatch.setattr(
        LazyGenerator, "log_odds", lambda generator, prompts: judge(generator, prompts)
    )
    receipts = run_night(night, settings_of(folder, calls), until="rerank_lists")
    run = Runs(Store(str(folder))).of_night(night)
    finish(run)
    counts: dict[str, list[dict[str, Any]]] = {}
    for receipt in receipts:
        counts.setdefault(receipt["job"], []).append(receipt["counts"])
    return run, counts


def learned(run: Run) -> dict[str, Any]:
    return dict(run.read_json("relevance", "learned"))


def lists_of(run: Run) -> pd.DataFrame:
    shards = sorted(ref.name for ref in run.refs() if ref.name.startswith("lists."))
    return pd.concat([run.read_table(name) for name in shards], ignore_index=True)


def test_a_judge_who_knows_what_comes_next_orders_the_lists(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, counts = night_of(folder, Judge("knows"), monkeypatch)
    said = learned(run)
    assert said["weight"] > 0
    assert said["measured"]["relevance_lift"]["low"] > 0
    assert said["measured"]["llm_lift"]["n_users"] >= said["measured"]["n_judged"]
    lists = lists_of(run)
    assert [sum(parts.values()) for parts in lists["score_components"]] == pytest.approx(
        lists["score"].tolist()
    )
    raised = lists[[parts.get(RELEVANCE, 0) > 0 for parts in lists["score_components"]]]
    assert (raised["rank"] == 1).mean() > 0.9
    assert raised["user_id"].nunique() > N_USERS / 2
    assert sum(c["users_judged"] for c in counts["judge_lists"]) == N_USERS

    again = Judge("knows")
    second, later = night_of(folder, again, monkeypatch, night=SECOND)
    assert sum(c["judged_before"] for c in later["judge_lists"]) > 0
    assert len(again.asked) < 0.1 * sum(c["judged_before"] for c in later["judge_lists"])
    assert learned(second)["weight"] > 0


def test_what_the_judge_is_told_of_a_held_out_user_lies_before_the_moment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge("guesses")
    run, _ = night_of(folder, judge, monkeypatch)
    held_out = run.read_table("held_out_lists")
    targets = {number for number in held_out.loc[held_out["is_relevant"], "video_id"]}
    assert targets
    assert judge.asked
    for prompt in judge.asked:
        liked = NUMBER.findall(prompt.user.split("\n")[0])
        assert 1 <= len(liked) <= 3  # the fourth is what was held out


def test_a_judge_who_guesses_changes_no_bit_and_is_not_asked_about_lists(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off, silent = night_of(folder, Judge("knows"), monkeypatch, calls=0)
    assert silent["learn_relevance"] + silent["judge_lists"] == [{}, {}, {}]
    plain = lists_of(off)
    run, counts = night_of(folder, Judge("guesses"), monkeypatch)
    assert run.run_id != off.run_id
    assert learned(run)["weight"] == 0.0
    assert counts["judge_lists"] == [{}, {}]
    pd.testing.assert_frame_equal(lists_of(run), plain, check_exact=True)


def test_a_budget_bounds_what_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge("guesses")
    _, counts = night_of(folder, judge, monkeypatch, calls=120)
    (learning,) = counts["learn_relevance"]
    assert 0 < learning["judged_now"] == len(judge.asked) <= 120
    assert learning["users_left"] > 0


def test_a_model_on_disk_is_asked_and_what_it_cost_is_in_the_receipt(folder: Path) -> None:
    receipts = run_night(FIRST, settings_of(folder, 100), until="learn_relevance")
    (counts,) = (one["counts"] for one in receipts if one["job"] == "learn_relevance")
    run = Runs(Store(str(folder))).of_night(FIRST)
    judged = run.read_table("relevance")
    assert counts["judged_now"] == counts["prompts"] == len(judged) == 100
    assert counts["tokens_in"] > 100 * counts["judged_now"]
    assert judged.groupby("user_id")["log_odds"].nunique().gt(1).all()


def test_a_judge_who_fails_leaves_the_lists_as_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, counts = night_of(folder, Judge("fails"), monkeypatch)
    (learning,) = counts["learn_relevance"]
    assert learning["judged"] == 0
    assert learning["users_left"] > 0
    assert len(lists_of(run)) == 10 * N_USERS

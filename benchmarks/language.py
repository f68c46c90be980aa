"""Language: are portraits and explanations true, who wrote them, and what does a sentence cost?

``python -m benchmarks.language [--data DIR] --json PATH``: runs one night of a small demo world,
and of some users of MovieLens latest-small with overviews when its folder is given, up to their
explanations; plants lies in the explanations and hostile texts in the catalogue. Portraits are
measured by `language_portraits`, in worlds of more users. Of two worlds the worse number counts.
"""

import argparse
import json
import logging
import re
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.language_cards import card_figures, seconds_of
from benchmarks.language_portraits import measure_portraits
from benchmarks.one_line_errors import run
from tests.recommending.hostile import INJECTIONS
from vidrec_tasks.audience.histories import gather
from vidrec_tasks.demo.size import Size
from vidrec_tasks.demo.truth import has_truth, read_truth, sensible_share
from vidrec_tasks.demo.world import render_world
from vidrec_tasks.evaluation.claim_likeness import Alike
from vidrec_tasks.evaluation.claim_others import Others
from vidrec_tasks.evaluation.claims import (
    check_explanations,
    claim_precision,
    claims_per_explanation,
)
from vidrec_tasks.hardware import quick_dtype
from vidrec_tasks.importing.presets import import_data
from vidrec_tasks.language.embedded import dequantised_folder
from vidrec_tasks.language.quoting import plain_title, plain_topic
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.explaining.counterfactual import compare_without_cited, keep_named
from vidrec_tasks.recommending.explaining.explanations import explain_lists
from vidrec_tasks.recommending.explaining.likeness import Likeness
from vidrec_tasks.recommending.explaining.peers import Peers
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.running.runner import run_night
from vidrec_tasks.settings import Settings
from vidrec_tasks.store.runs import Run, Runs
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.language")

PORTRAITS, EXPLANATIONS = "portraits", "explanations"
SIZES = {
    PORTRAITS: Size(videos=120, users=130, nights=14, films=0),
    EXPLANATIONS: Size(videos=48, users=64, nights=10, films=0),
}
UNTIL = {PORTRAITS: "build_profiles", EXPLANATIONS: "evaluate_lists"}
"""The last job that is run: portraits are written by the benchmark itself."""
N_COUNTERFACTUAL = 60
N_EXPLAINED = 600
N_MOVIELENS = {PORTRAITS: 120, EXPLANATIONS: 64}
"""Users of MovieLens: the night of all 668 took most of an hour, nearly all of it training."""
AT_MOST = (
    "injections_leaked", "sentences_of_a_second_night", "seconds_a_portrait", "seconds_a_plan",
    "portrait_sentences_dropped", "card_injections_leaked", "card_fields_dropped", "seconds_a_card",
)  # fmt: skip
"""Figures of which less is better."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with ml-latest-small and tmdb-5000")
    parser.add_argument("--store", type=Path, help="a store with a night; else one is made")
    parser.add_argument("--users", type=int, default=48, help="portraits that the model writes")
    parser.add_argument("--model", default="embedded", help="'embedded', a folder or a .gguf file")
    parser.add_argument("--only", choices=("portraits", "explanations"), help="measure one of both")
    parser.add_argument("--json", type=Path, required=True)
    said = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as folder:
        results = _measure_all(said, Path(folder))
    result = {**_worse(results), "worlds": results}
    said.json.parent.mkdir(parents=True, exist_ok=True)
    said.json.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")
    sys.stdout.write(f"{json.dumps(result, sort_keys=True)}\n")
    return 0


def _measure_all(said: argparse.Namespace, folder: Path) -> dict[str, dict[str, Any]]:
    """Ratios and figures of each world, by name."""
    results: dict[str, dict[str, Any]] = {}
    for name, (store, settings) in _worlds(said, folder, PORTRAITS).items():
        portraits = measure_portraits(last_run(settings), settings, said.users, store / "models")
        results[name] = portraits
    for name, (_, settings) in _worlds(said, folder, EXPLANATIONS).items():
        found = measure(settings)
        known = results.setdefault(name, {"ratios": {}, "figures": {}})
        results[name] = {
            **known, **found,
            "ratios": {**known["ratios"], **found["ratios"]},
            "figures": {**known["figures"], **found["figures"]},
        }  # fmt: skip
    return results


def _worlds(said: argparse.Namespace, folder: Path, what: str) -> dict[str, tuple[Path, Settings]]:
    """Stores with a night, by name."""
    if said.only not in (None, what):
        return {}
    if said.store:
        return {"store": (said.store, settings_of(said.store, said.model))}
    until, size = UNTIL[what], SIZES[what]
    demo, movielens = folder / f"{what}-demo", folder / f"{what}-movielens"
    worlds = {"demo": (demo, render(demo, size, until=until, model=said.model))}
    if said.data:
        settings = bring_movielens(
            said.data, movielens, N_MOVIELENS[what], until=until, model=said.model
        )
        worlds["movielens"] = (movielens, settings)
    return worlds


def last_run(settings: Settings) -> Run:
    """The last night of a store."""
    return max(Runs(Store(settings.store_url)), key=lambda one: (one.night, one.run_id))


def _worse(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Of each ratio and figure the smaller one of the worlds; of what must be none the larger."""
    found: dict[str, Any] = {}
    for part in ("ratios", "figures"):
        found[part] = {}
        for name in next(iter(results.values()))[part]:
            values = [r[part][name] for r in results.values() if r[part].get(name) is not None]
            worse = max if name in AT_MOST else min
            found[part][name] = worse(values) if values else None
    return found


def render(store: Path, size: Size, *, until: str, model: str = "embedded") -> Settings:
    """A small demo world and one night of it, in an empty store."""
    settings = settings_of(store, model)
    render_world(store, size)
    run_night(size.two_nights[0], settings, until=until)
    return settings


def bring_movielens(
    data: Path, store: Path, n_users: int, *, until: str, model: str = "embedded"
) -> Settings:
    """A night over some users of MovieLens latest-small and the films they rated, in a store."""
    settings = settings_of(store, model)
    night = draw_movielens(data, store, n_users, seed=settings.recommending.seed)
    run_night(night, settings, until=until)
    return settings


def draw_movielens(data: Path, store: Path, n_users: int, *, seed: int) -> date:
    """Some users of MovieLens latest-small and the films they rated, as inputs of a store.

    Returns:
        The day after the last rating.
    """
    inputs = store / "inputs"
    inputs.mkdir(parents=True)
    overviews = data / "tmdb-5000" / "tmdb_5000_movies.csv.zip"
    import_data("movielens", data / "ml-latest-small", inputs, overviews=overviews)
    events = pd.read_parquet(inputs / "interactions.parquet")
    videos = pd.read_parquet(inputs / "videos.parquet")
    users = np.sort(events["user_id"].unique())
    drawn = np.random.default_rng(seed).permutation(users)[:n_users]
    events = events[events["user_id"].isin(drawn)]
    videos = videos[videos["video_id"].isin(events["video_id"])]
    events.to_parquet(inputs / "interactions.parquet", index=False)
    videos.to_parquet(inputs / "videos.parquet", index=False)
    last = pd.to_datetime(pd.to_numeric(events["event_at"]), unit="s", utc=True).max()
    return date.fromisoformat(str((last + pd.Timedelta(days=1)).date()))


def settings_of(store: Path, model: str) -> Settings:
    """Small models, and the language model that is asked for: a folder or a .gguf file."""
    if model.endswith(".gguf"):
        file, dtype = Path(model), quick_dtype()
        folder = dequantised_folder(file, store.parent / "models", name=file.stem, dtype=dtype)
        model = str(folder)
    return Settings(
        store_url=str(store), recommending={"max_epochs": 5}, insights={"k_anonymity": 5},
        language={"model": model},
    )  # fmt: skip


def measure(settings: Settings) -> dict[str, Any]:
    """Ratios and figures of the explanations of the last night of a store."""
    store, run = Path(settings.store_url), last_run(settings)
    tables = _tables(run)
    claims = _check(tables, tables["explained"], settings, run.night)
    return {
        "ratios": {},
        "figures": {
            "claim_precision": claim_precision(claims),
            "claims_per_explanation": claims_per_explanation(claims),
            **_sensible(store, tables["explained"]),
            "injections_leaked": _leaked(tables, settings, run.night),
            "planted_false_caught": _caught(tables, settings, run.night),
            **_counterfactual(run, tables, settings),
            **card_figures(_all(run, "cards"), seconds_of(run, "write_cards")),
            **_lift_of_words(run),
        },
        "night": run.night.isoformat(),
        "dtype": str(quick_dtype()),
        "n_explanations": len(tables["explained"]),
    }


def _lift_of_words(run: Run) -> dict[str, Any]:
    """What the model's words add in ranking, with its interval, as the night measured it."""
    lift = run.read_json("metrics", "metrics").get("llm_lift") or {}
    return {
        "llm_lift": lift.get("value"), "llm_lift_low": lift.get("low"),
        "llm_lift_high": lift.get("high"), "llm_lift_users": lift.get("n_users"),
    }  # fmt: skip


def _sensible(store: Path, explained: pd.DataFrame) -> dict[str, Any]:
    """Whether the watched videos that are named are on a planted topic; None: none was planted."""
    if not has_truth(store):
        return {"sensible_share": None, "sensible_rows": None}
    found = sensible_share(explained, read_truth(store))
    return {"sensible_share": found["share"], "sensible_rows": found["n_named"]}


def _counterfactual(run: Run, tables: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Share of sampled rows whose score falls more without what is cited; models of the night."""
    table = run.read_table("content")
    content = Content.of(
        run.read_table("videos"), run.read_array("content", "fused"), table["topics"].tolist()
    )
    models = Models.from_parts(run.parts("models.serving"), content)
    visits = _all(run, "profiles", "visits")
    found = compare_without_cited(
        models, gather(visits), keep_named(tables["explained"]), scorer=models.configuration.scorer,
        rng=np.random.default_rng(settings.recommending.seed), n_rows=N_COUNTERFACTUAL,
    )  # fmt: skip
    share = found.n_lowered / found.n_rows if found.n_rows else None
    return {"counterfactual_share": share, "counterfactual_rows": found.n_rows}


def _tables(run: Run) -> dict[str, Any]:
    """What explanations rest on, and the explanations, of all shards."""
    content, visits = run.read_table("content"), _all(run, "profiles", "visits")
    seen = visits[visits["is_watched"]].groupby(["user_id", "video_id"])["event_at"].max()
    peers, drawn = run.read_table("peers"), run.read_json("peers", "counts")
    return {
        "fused": run.read_array("content", "fused"),
        "visits": visits,
        "peers": peers.assign(video_id=content["video_id"].to_numpy()[peers["video_num"]]),
        "is_sample": drawn["n_drawn"] < drawn["n_users"],
        "videos": run.read_table("videos"),
        "topics": dict(zip(content["video_id"], content["topics"], strict=True)),
        "profiles": _all(run, "profiles"),
        "watched": seen.rename("last_event_at").reset_index(),
        "popularity": run.read_table("popularity"),
        "explained": _all(run, "explained").head(N_EXPLAINED),
    }


def _all(run: Run, kind: str, part: str = "table") -> pd.DataFrame:
    names = sorted(ref.name for ref in run.refs() if ref.name.startswith(f"{kind}."))
    return pd.concat([run.read_table(name, part) for name in names], ignore_index=True)


def _leaked(tables: dict[str, Any], settings: Settings, night: date) -> int:
    """Texts of the hostile set that change a published word outside a quoted title, or break out.

    A title without a letter or digit cannot be quoted: its rows say what they say of no title. As a
    tag a text may be named by a portrait only as a few plain words, like any other tag.
    """
    plain, nameless = (_explained_as(text, tables, settings, night) for text in ("plain", ""))
    leaked = []
    for text in INJECTIONS:
        said = _explained_as(text, tables, settings, night)
        can_be_quoted = any(char.isalnum() for char in text)
        is_same = _masked(said) == _masked(plain if can_be_quoted else nameless)
        names = [name for name in (plain_topic(text), plain_title(text)) if name]
        if not is_same or not all(map(_is_tame, [*_quoted(said), *names])):
            leaked.append(text)
    log.info("%d of %d hostile texts leaked: %s", len(leaked), len(INJECTIONS), leaked)
    return len(leaked)


def _explained_as(
    title: str, tables: dict[str, Any], settings: Settings, night: date
) -> pd.DataFrame:
    """The explanations of the night if every title and description were this text."""
    names = ("topics", "profiles", "watched", "popularity")
    lists = tables["explained"].drop(columns=["reason_code", "explanation", "evidence"])
    videos = tables["videos"].assign(title=title, description=title)
    facts = [tables[name] for name in names]
    ids = tables["videos"]["video_id"].tolist()
    seed = settings.recommending.seed
    moment = pd.Timestamp(night, tz="UTC")
    return explain_lists(
        lists, videos, *facts, settings.recommending, night=night,
        likeness=Likeness.of(
            ids, tables["fused"], [tables["topics"].get(one, []) for one in ids], seed=seed
        ),
        peers=Peers.of(
            tables["peers"], tables["visits"], moment=moment, is_sample=tables["is_sample"]
        ),
    )  # fmt: skip


_TITLE = re.compile("(?:(?<=Because you watched )|(?<=users who liked ))“([^“”<>\n]{1,80})”")


def _quoted(explained: pd.DataFrame) -> list[str]:
    """The different titles that the sentences quote."""
    return sorted({name for text in explained["explanation"] for name in _TITLE.findall(text)})


def _is_tame(words: str) -> bool:
    """No markup, no control, format or private character, at most 80 characters."""
    is_marked = not set(words).isdisjoint('<>“”《》{}[]`|\\"')
    has_hidden = any(unicodedata.category(char)[0] == "C" for char in words)
    return 0 < len(words) <= 80 and not is_marked and not has_hidden


def _masked(explained: pd.DataFrame) -> list[str]:
    """The sentences without the title of what was watched."""
    return [_TITLE.sub("“”", text) for text in explained["explanation"]]


def _caught(tables: dict[str, Any], settings: Settings, night: date) -> float:
    """Share of planted lies that the checker refuses: a number, a title or a topic made false."""
    explained = tables["explained"]
    lies = [
        explained.assign(explanation=[lie(text) for text in explained["explanation"]])
        for lie in (_other_number, _other_name, _more_liked, _more_counted)
    ]
    planted = pd.concat(lies, ignore_index=True)
    was = pd.concat([explained["explanation"]] * len(lies), ignore_index=True)
    planted = planted[planted["explanation"] != was].reset_index(drop=True)
    checks = _check(tables, planted, settings, night)
    log.info("%d of %d planted lies caught", (~checks["verified"]).sum(), len(planted))
    return float((~checks["verified"]).mean())


def _check(
    tables: dict[str, Any], explained: pd.DataFrame, settings: Settings, night: date
) -> pd.DataFrame:
    names = ("videos", "topics", "profiles", "watched", "popularity")
    facts = (tables[name] for name in names)
    fresh_days = settings.recommending.fresh_days
    others = Others(
        tables["peers"],
        tables["visits"],
        moment=pd.Timestamp(night, tz="UTC"),
        is_sample=tables["is_sample"],
        min_users=settings.recommending.explanation_min_users,
    )
    alike = Alike(tables["videos"]["video_id"].tolist(), tables["fused"])
    return check_explanations(
        explained, *facts, night=night, fresh_days=fresh_days, others=others, alike=alike
    )


def _other_number(text: str) -> str:
    return re.sub(
        r"(?<=you have watched )\d+|(?<=watched by )\d+", lambda n: f"{int(n[0]) + 1}", text
    )


def _more_liked(text: str) -> str:
    """One more who liked it."""
    return re.sub(r"\d+(?= liked it)", lambda n: f"{int(n[0]) + 1}", text)


def _more_counted(text: str) -> str:
    """One more who was counted."""
    return re.sub(r"(?<=Of )\d+(?= (?:sampled )?users? )", lambda n: f"{int(n[0]) + 1}", text)


def _other_name(text: str) -> str:
    return re.sub("“[^”]*”", "“A title nobody has”", text, count=1)


if __name__ == "__main__":
    run(main)

"""How far it goes: the list stages at N/10 and N users, the search, and what orchestration costs.

``python -m benchmarks.scale --users N --videos M --json PATH`` plants a store with M videos and
runs the jobs from ``embed_users`` to ``explain_lists`` for real, shard by shard on one thread, each
number of users in a process of its own (or in ``--processes`` side by side, as workers do).
``docs/SCALE.md`` is computed from the JSON by `scale_page`.

In pieces: ``--store DIR --plant`` only plants, and a store that is there is used again;
``--against JSON`` names the figures of a smaller catalogue, by which the growth with the catalogue
is computed.
"""

import argparse
import json
import logging
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.one_line_errors import run
from benchmarks.scale_dense import MOST_VIDEOS, measure_equal
from benchmarks.scale_overhead import SLOTS, measure_overhead, n_tasks
from benchmarks.scale_peer import measure_peer
from benchmarks.scale_search import measure_search, n_queries
from benchmarks.scale_stages import BEFORE, LIST_JOBS, LIST_STAGES
from benchmarks.scale_world import NIGHT, plant_shared, settings_of
from vidrec_tasks.content.index import Index
from vidrec_tasks.errors import InputError
from vidrec_tasks.settings import InputSettings, Settings
from vidrec_tasks.store.runs import Runs
from vidrec_tasks.store.shards import Split
from vidrec_tasks.store.store import Store

log = logging.getLogger("benchmarks.scale")

NIGHT_USERS: Final = 100_000
"""Users of the night whose share of orchestration is given."""

EQUAL_USERS: Final = 1_000
"""Users whose lists are made in the dense way too."""

HOW: Final = {
    "search_vs_faiss_flat": "users/s of the content index over users/s of faiss.IndexFlatIP as it "
    "comes, same vectors, queries, k, block and one thread; the best of five rounds in turn",
    "search_recall": "share of the true k nearest that the content index finds",
    "orchestration_share": "wall seconds that the tasks of profiles and lists add when they are "
    "empty, over these and the measured seconds of the same jobs on as many slots, at 100,000 "
    "users; like with like: neither the tasks nor the work of films, sentences and training count",
    "growth_exponent": "log10 of seconds of the list jobs at N users over those at N/10",
    "catalogue_exponent": "of the list stages (find_candidates, rank_candidates, rerank_lists): "
    "log of seconds a user here over those of --against, over that of videos here over those there",
    "lists_equal_dense": "share of listed rows that scores of all users times all videos would "
    "list too, in the same ranking and re-ranking; of --against where there are too many videos",
    "users_vs_implicit": "users/s of the index over f(v) over those of implicit's recommend, same "
    "vectors, users, k and one thread; the recall of both is beside it",
    "users_per_s": "N over the list jobs' seconds of all processes: the rate of one, which has one "
    "thread; reading and writing the store too",
    "peak_gib": "largest resident memory of a list job over shards of the N users, as the kernel "
    "says it of the job's span; a shard's jobs run one after the other in a process of their own",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000, help="N; N/10 is run too")
    parser.add_argument("--videos", type=int, default=5_000, help="M")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument(
        "--users-per-shard", type=int, default=InputSettings().users_per_shard,
        help="as VIDREC_INPUTS__USERS_PER_SHARD",
    )  # fmt: skip
    parser.add_argument("--processes", type=int, default=1, help="shards at a time")
    parser.add_argument("--no-airflow", action="store_true", help="leave orchestration out")
    parser.add_argument("--no-peer", action="store_true", help="leave implicit out")
    parser.add_argument("--store", type=Path, help="a folder that is kept, and used again")
    parser.add_argument("--plant", action="store_true", help="plant the store and measure nothing")
    parser.add_argument("--against", type=Path, help="JSON of a smaller catalogue")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="vidrec-bench-") as name:
        found = _measure(asked, asked.store or Path(name))
    if found is None:
        return
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(found, indent=1) + "\n")
    log.info("%s", json.dumps({"ratios": found["ratios"], "figures": _short(found["figures"])}))


def _measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any] | None:
    store = folder / "store"
    settings = settings_of(store, asked.users_per_shard)
    planted = folder / f"planted-{asked.videos}"
    if not planted.exists():
        log.info("planting %d videos and training on a sample", asked.videos)
        plant_shared(settings, asked.videos)
        planted.touch()
    if asked.plant:
        return None
    scorer = _scorer(settings)
    before = _before(asked.against, scorer)
    search = _search(settings)
    log.info("search: %s", json.dumps(search))
    small = max(1, asked.users // 10)
    runs = [_run_of(store, n, asked) for n in (small, asked.users)]
    for measured in runs:
        log.info("%s", json.dumps(measured))
    figures: dict[str, Any] = {
        "search_recall": search["recall"],
        "orchestration_share": None,
        "growth_exponent": _exponent(runs),
        **_of_catalogue(runs[-1], asked.videos, before),
        **_equal(settings, asked, before),
        "users_per_s": runs[-1]["users_per_s"],
        "peak_gib": runs[-1]["peak_gib"],
        "videos": asked.videos,
        "users_per_shard": asked.users_per_shard,
        "processes": asked.processes,
        "scorer": scorer,
        "runs": runs,
        "search": search,
        "reasons": {},
        "how": HOW,
    }
    if figures["catalogue_exponent"] is None:
        figures["reasons"]["catalogue_exponent"] = "no smaller catalogue in --against"
    figures["users_vs_implicit"] = None
    if asked.no_peer:
        figures["reasons"]["users_vs_implicit"] = "--no-peer"
    else:
        figures |= measure_peer(settings, folder)
    if asked.no_airflow:
        figures["reasons"]["orchestration_share"] = "--no-airflow"
    else:
        figures |= _orchestration(runs[-1], asked.videos, settings)
    return {"ratios": {"search_vs_faiss_flat": search["vs_faiss_flat"]}, "figures": figures}


def _search(settings: Settings) -> dict[str, Any]:
    run = Runs(Store(settings.store_url)).of_night(NIGHT)
    parts = run.parts("content_index")
    index = Index.from_parts(parts)
    vectors = run.read_array("content", "fused")
    rng = np.random.default_rng(1)
    # a user's profile lies between a few videos, as the content source's does
    liked = vectors[rng.integers(0, len(vectors), (n_queries(len(vectors)), 5))].mean(axis=1)
    queries = (liked / np.linalg.norm(liked, axis=1, keepdims=True)).astype(np.float32)
    return measure_search(index, vectors, queries)


def _scorer(settings: Settings) -> str:
    """Which score orders the planted lists."""
    info = Runs(Store(settings.store_url)).of_night(NIGHT).read_json("models.serving", "info")
    return str(info["configuration"]["scorer"])


def _before(path: Path | None, scorer: str) -> dict[str, Any] | None:
    """The figures of a smaller catalogue.

    Raises:
        InputError: another score ordered its lists, so that times say nothing of the catalogue.
    """
    if path is None:
        return None
    figures: dict[str, Any] = json.loads(path.read_text())["figures"]
    other = figures.get("scorer")
    if other != scorer:
        message = (
            f"--against {path}: its lists were ordered by {other or 'the towers'}, these are by "
            f"{scorer}; measure the smaller catalogue again"
        )
        raise InputError(message)
    return figures


def _run_of(store: Path, n_users: int, asked: argparse.Namespace) -> dict[str, Any]:
    """The list stages of so many users, each shard in a process of its own, as a night has it.

    Sums over the shards, but for the largest memory.
    """
    n_shards = Split.of(n_users, asked.users_per_shard).n_shards
    outs = [store.parent / f"{n_users}-{shard}.json" for shard in range(n_shards)]

    def run_shard(shard: int) -> None:
        words = (n_users, asked.users_per_shard, f"{shard}/{n_shards}", outs[shard])
        subprocess.run(
            ["env", "OMP_NUM_THREADS=1", "OMP_WAIT_POLICY=PASSIVE", sys.executable, "-m",
             "benchmarks.scale_stages", str(store), *map(str, words)],
            check=True,
        )  # fmt: skip

    with ThreadPoolExecutor(asked.processes) as pool:
        list(pool.map(run_shard, range(n_shards)))
    parts = [json.loads(out.read_text()) for out in outs]
    seconds = {job: sum(part["seconds"][job] for part in parts) for job in parts[0]["seconds"]}
    list_seconds = sum(seconds[job] for job in LIST_JOBS)
    added = ("users", "shards", "list_rows", "list_text_bytes", "artefact_bytes")
    return {
        **{name: sum(part[name] for part in parts) for name in added},
        "processes": min(asked.processes, n_shards),
        "seconds": {job: round(number, 3) for job, number in seconds.items()},
        "peak_gib": max(part["peak_gib"] for part in parts),
        "peaks_gib": {
            job: max(part["peaks_gib"][job] for part in parts) for job in parts[0]["peaks_gib"]
        },
        "list_seconds": round(list_seconds, 2),
        "users_per_s": round(n_users / list_seconds, 2),
    }


def _exponent(runs: list[dict[str, Any]]) -> float:
    small, large = runs
    growth = large["list_seconds"] / small["list_seconds"]
    return round(math.log(growth) / math.log(large["users"] / small["users"]), 4)


def _of_catalogue(
    run: dict[str, Any], n_videos: int, before: dict[str, Any] | None
) -> dict[str, Any]:
    """How the list stages grow with the catalogue, where a smaller one was measured."""
    each = sum(run["seconds"][job] for job in LIST_STAGES) / run["users"]
    found: dict[str, Any] = {"stage_ms_a_user": round(1e3 * each, 3), "catalogue_exponent": None}
    if before is None or before["videos"] >= n_videos:
        return found
    growth = math.log(found["stage_ms_a_user"] / before["stage_ms_a_user"])
    exponent = growth / math.log(n_videos / before["videos"])
    against = {key: before[key] for key in ("videos", "stage_ms_a_user", "users_per_s")}
    against["users"] = before["runs"][-1]["users"]
    return found | {"catalogue_exponent": round(exponent, 4), "against": against}


def _equal(
    settings: Settings, asked: argparse.Namespace, before: dict[str, Any] | None
) -> dict[str, Any]:
    if asked.videos <= MOST_VIDEOS:
        said = measure_equal(settings, min(asked.users, EQUAL_USERS))
        return {"lists_equal_dense": said["lists_equal_dense"], "dense": said}
    keys = ("lists_equal_dense", "dense")
    return {key: None if before is None else before[key] for key in keys}


def _orchestration(run: dict[str, Any], n_videos: int, settings: Settings) -> dict[str, Any]:
    try:
        overhead = measure_overhead()
    except TimeoutError as error:
        return {"reasons": {"orchestration_share": str(error)}}
    work = sum(run["seconds"][job] for job in (*BEFORE, *LIST_JOBS)) * NIGHT_USERS / run["users"]
    shards = Split.of(NIGHT_USERS, settings.inputs.users_per_shard).n_shards
    measured_tasks = len((*BEFORE, *LIST_JOBS)) * shards
    added = measured_tasks * overhead["seconds_a_task"]
    said = {
        **overhead,
        "night_users": NIGHT_USERS,
        "night_tasks": n_tasks(NIGHT_USERS, n_videos, settings),
        "measured_tasks": measured_tasks,
        "night_work_s": round(work / SLOTS, 1),
        "night_added_s": round(added, 1),
        "work_is": "measured" if run["users"] == NIGHT_USERS else "by the measured rate",
    }
    log.info("orchestration: %s", json.dumps(said))
    return {
        "orchestration_share": round(added / (added + work / SLOTS), 4), "orchestration": said,
    }  # fmt: skip


def _short(figures: dict[str, Any]) -> dict[str, Any]:
    names = (
        "videos", "users_per_s", "peak_gib", "growth_exponent", "catalogue_exponent",
        "stage_ms_a_user", "search_recall", "lists_equal_dense", "users_vs_implicit",
        "orchestration_share",
    )  # fmt: skip
    return {name: figures[name] for name in names}


if __name__ == "__main__":
    run(main)

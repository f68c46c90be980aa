"""Scale page: 10 million videos and 100 million users, computed from measured rates.

``python -m benchmarks.scale_page --scale JSON [--publishing JSON] --into docs/SCALE.md``: the JSON
of `benchmarks.scale` and, for publishing, of `benchmarks.publishing`. Nothing here is measured anew
and nothing is guessed: what was not measured is said not to be known.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.scale_stages import LIST_JOBS
from vidrec_tasks.content.index import HNSW_LIMIT, PROBED_SHARE
from vidrec_tasks.settings import RecommendingSettings
from vidrec_tasks.store.shards import IDS_PER_BUCKET

N_VIDEOS: Final = 10_000_000
N_USERS: Final = 100_000_000
MAPPED_LIMIT: Final = 1_024
"""Tasks that Airflow maps one task over ([core] max_map_length)."""
DIM, TOWER_DIM = 384, RecommendingSettings().dim
N_WORKERS: Final = 1_000
GIB: Final = 2**30


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale_page", description=__doc__)
    parser.add_argument("--scale", type=Path, required=True)
    parser.add_argument("--publishing", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args(arguments)
    publishing = json.loads(asked.publishing.read_text()) if asked.publishing else None
    asked.into.write_text(page(json.loads(asked.scale.read_text()), publishing), encoding="utf-8")
    return 0


def page(scale: dict[str, Any], publishing: dict[str, Any] | None) -> str:
    """The page in Markdown."""
    figures = scale["figures"]
    parts = [_head(scale), _index(), _shards(figures), _work(figures), _tables(figures, publishing)]
    return "\n".join([*parts, _drivers(figures)])


def index_bytes(n: int, dim: int) -> int:
    """Bytes of inverted lists with 8-bit codes over ``n`` vectors: codes, numbers, centres."""
    return n * (dim + 8) + int(4 * math.sqrt(n)) * dim * 4


def _head(scale: dict[str, Any]) -> str:
    figures, run = scale["figures"], scale["figures"]["runs"][-1]
    share = figures["orchestration_share"]
    said = "not measured" if share is None else f"{share:.1%}"
    return f"""# Scale

<!-- Made by `python -m benchmarks.scale_page`; run `python -m benchmarks.scale` again instead. -->

This page estimates the cost of {N_VIDEOS:,} videos and {N_USERS:,} users from measurements with
{figures["videos"]:,} videos and {figures["runs"][0]["users"]:,} and {run["users"]:,} users.

| measured | value |
|---|---|
| throughput of the list stages, one process and thread, users/s | {figures["users_per_s"]:,} |
| processes that ran in parallel | {figures.get("processes", 1)} |
| growth exponent of list stage time over the number of users | {figures["growth_exponent"]} |
| peak memory of the process | {figures["peak_gib"]} GiB |
| candidate search speed over FAISS's flat search | {scale["ratios"]["search_vs_faiss_flat"]} |
| its recall of the exact top {figures["search"]["k"]} | {figures["search_recall"]} |
| its speed over the bare matrix product | {figures["search"]["share_of_product"]} |
| orchestration, as a share of the time of profiles and lists of 100,000 users | {said} |

{_growth(figures)} Times were measured on a
machine that may have been busy with other work.{_failed(figures)}
"""


def _growth(figures: dict[str, Any]) -> str:
    """What the exponent says."""
    small, large = figures["runs"]
    if small["users"] > figures["users_per_shard"]:
        return f"The shards of both runs have {figures['users_per_shard']:,} users each."
    return (
        "An exponent under 1 is the fixed cost of a shard, which more users share in the larger\n"
        f"run of {large['users']:,}; it says little of growth while the smaller one is one shard."
    )


def _failed(figures: dict[str, Any]) -> str:
    """What is to be known of the measure of orchestration."""
    said = figures.get("orchestration", {})
    if not said.get("failed"):
        return ""
    return (
        f" Of the {said['tasks']} empty tasks that orchestration was measured by, "
        f"{said['failed']} did not start."
    )


def _index() -> str:
    lists = int(4 * math.sqrt(N_VIDEOS))
    rows = "\n".join(
        f"| {what} | {dim} | {index_bytes(N_VIDEOS, dim) / GIB:.1f} GiB | "
        f"{N_VIDEOS * dim * 4 / GIB:.1f} GiB |"
        for what, dim in (("content", DIM), ("`f(v)`", TOWER_DIM))
    )
    return f"""## Index

Above {HNSW_LIMIT:,} vectors `build_index` makes inverted lists with 8-bit codes (`ivf_sq`):
here {lists:,} lists, of which a search probes {max(int(PROBED_SHARE * lists), 1):,}.

| vectors | dimensions | index | the vectors themselves |
|---|---|---|---|
{rows}
"""


def _shards(figures: dict[str, Any]) -> str:
    per_shard = math.ceil(N_USERS / MAPPED_LIMIT / 10_000) * 10_000
    small, large = figures["runs"]
    users, before = (_in_a_shard(run, figures) for run in (large, small))
    slope = (large["peak_gib"] - small["peak_gib"]) / max(1, users - before)
    memory = f"is not known; {large['peak_gib']} GiB was measured for shards of {users:,}"
    if users > before and slope > 0:
        at_once = large["peak_gib"] + slope * (per_shard - users)
        memory = (
            f"is {at_once:.1f} GiB by the line through {small['peak_gib']} GiB ({before:,} users a "
            f"shard) and {large['peak_gib']} GiB ({users:,})"
        )
    return f"""## Shards

A task is mapped over at most {MAPPED_LIMIT:,} shards, so the settings are
`VIDREC_INPUTS__USERS_PER_SHARD={per_shard}` ({math.ceil(N_USERS / per_shard):,} user shards) and
`VIDREC_INPUTS__VIDEOS_PER_SHARD=10000` ({N_VIDEOS // 10_000:,} video shards). The memory of a
shard's users, besides the catalogue, {memory}.
"""


def _in_a_shard(run: dict[str, Any], figures: dict[str, Any]) -> int:
    return int(min(run["users"], figures["users_per_shard"]))


def _work(figures: dict[str, Any]) -> str:
    run = figures["runs"][-1]
    hours = {job: run["seconds"][job] / run["users"] * N_USERS / 3_600 for job in LIST_JOBS}
    total = sum(hours.values())
    rows = "\n".join(f"| `{job}` | {number:,.0f} | {number / total:.0%} |"
                     for job, number in hours.items())  # fmt: skip
    flops = 2 * N_VIDEOS * DIM * N_USERS
    product_s = flops / (figures["search"]["product_gflop_per_s"] * 1e9)
    return f"""## Core-hours of the lists, at the measured rate

| job | core-hours | share |
|---|---|---|
{rows}
| all | {total:,.0f} | |

On {N_WORKERS:,} cores this takes {total / N_WORKERS:,.1f} hours. The rate was measured with
{figures["videos"]:,} videos, and dense computation over the catalogue grows with its size. An
exact search of {N_VIDEOS:,} videos for every user is {flops:.1e} operations, or
{product_s / 3_600:,.0f} core-hours of bare matrix product at the measured
{figures["search"]["product_gflop_per_s"]} GFLOP/s; probing {PROBED_SHARE:.0%} of the lists takes
{product_s * PROBED_SHARE / 3_600:,.0f} core-hours.
"""


def _tables(figures: dict[str, Any], publishing: dict[str, Any] | None) -> str:
    run = figures["runs"][-1]
    rows = round(run["list_rows"] / run["users"] * N_USERS)
    size = run["list_text_bytes"] / run["list_rows"]
    time = "not computed here: give `--publishing`, the JSON of `benchmarks.publishing`"
    if publishing is not None:
        found = publishing["figures"]
        rate = found["rows"] / found["publish_s"]
        time = (
            f"{rows / rate / 3_600:,.1f} hours by one connection at the {rate:,.0f} rows/s of "
            "`benchmarks.publishing`; the switch itself is one row"
        )
    return f"""## Tables

`recommendations` has {rows:,} rows of {size:,.0f} bytes as text, {rows * size / 1e12:.2f} TB a run
before indexes. Seven runs are kept, {7 * rows * size / 1e12:.1f} TB. A run is a partition, so an
old run is dropped whole. Publish time: {time}.
"""


def _drivers(figures: dict[str, Any]) -> str:
    run = figures["runs"][-1]
    dearest = max(LIST_JOBS, key=lambda job: run["seconds"][job])
    masks = IDS_PER_BUCKET * N_VIDEOS * 4 / GIB
    return f"""## Cost drivers and obstacles

* `{dearest}` is the most expensive job. It attributes a score by leaving out videos that the user
  watched, with up to 20 scorings a list, and holds the visits of the users whom explanations count
  (at most `VIDREC_RECOMMENDING__MAX_TRAINING_USERS`, drawn once a night by `draw_peers`).
* `find_candidates` holds masks and scores of {IDS_PER_BUCKET} users by all videos: {masks:.1f} GiB
  of float32 with {N_VIDEOS:,} videos. At this size either the catalogue must be split by region and
  age first, or the sparse candidate sources must stay sparse. Neither is implemented.
* `train_models` is one task. It passes over every shard, learns from at most
  `VIDREC_RECOMMENDING__MAX_TRAINING_USERS` users (decision 0023), and takes the hours that their
  histories need. `validate_inputs` is one task too and works out of core.
  `benchmarks.out_of_core` measures the memory of both.
* `list_fallbacks` and `summarise_audiences` hold five columns of what all users watched in one
  task. At this size they must count shard by shard, which is not implemented.
* Video files are decoded and encoded only when they change, and sentences are written only when
  their evidence changes. Neither is in the rates above.
"""


if __name__ == "__main__":
    raise SystemExit(main())

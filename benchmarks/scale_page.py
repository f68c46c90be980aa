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

For {N_VIDEOS:,} videos and {N_USERS:,} users, computed from what was measured over
{figures["videos"]:,} videos with {figures["runs"][0]["users"]:,} and {run["users"]:,} users.

| measured | value |
|---|---|
| list stages, users/s of one process with one thread | {figures["users_per_s"]:,} |
| processes side by side | {figures.get("processes", 1)} |
| seconds of list stages grow with users to the power of | {figures["growth_exponent"]} |
| most memory of the process | {figures["peak_gib"]} GiB |
| candidate search against FAISS's flat search | {scale["ratios"]["search_vs_faiss_flat"]} |
| its recall of the true {figures["search"]["k"]} | {figures["search_recall"]} |
| its share of the matrix product's speed | {figures["search"]["share_of_product"]} |
| orchestration, of profiles and lists of 100,000 users | {said} |

{_growth(figures)} Seconds are of the machine that
measured, which may have been busy with other work.{_failed(figures)}
"""


def _growth(figures: dict[str, Any]) -> str:
    """What the exponent says."""
    small, large = figures["runs"]
    if small["users"] > figures["users_per_shard"]:
        return f"The shards of both runs hold {figures['users_per_shard']:,} users each."
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

Beyond {HNSW_LIMIT:,} vectors `build_index` makes inverted lists with 8-bit codes (`ivf_sq`):
{lists:,} lists, of which {max(int(PROBED_SHARE * lists), 1):,} are looked through.

| over | dimensions | index | the vectors themselves |
|---|---|---|---|
{rows}
"""


def _shards(figures: dict[str, Any]) -> str:
    per_shard = math.ceil(N_USERS / MAPPED_LIMIT / 10_000) * 10_000
    small, large = figures["runs"]
    users, before = (_in_a_shard(run, figures) for run in (large, small))
    slope = (large["peak_gib"] - small["peak_gib"]) / max(1, users - before)
    memory = f"not known; {large['peak_gib']} GiB was measured for shards of {users:,}"
    if users > before and slope > 0:
        at_once = large["peak_gib"] + slope * (per_shard - users)
        memory = (
            f"{at_once:.1f} GiB by the line through {small['peak_gib']} GiB ({before:,} users a "
            f"shard) and {large['peak_gib']} GiB ({users:,})"
        )
    return f"""## Shards

A task is mapped over at most {MAPPED_LIMIT:,} shards, so
`VIDREC_INPUTS__USERS_PER_SHARD={per_shard}` ({math.ceil(N_USERS / per_shard):,} user shards) and
`VIDREC_INPUTS__VIDEOS_PER_SHARD=10000` ({N_VIDEOS // 10_000:,} video shards). Memory of a shard's
users beside the catalogue: {memory}.
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

On {N_WORKERS:,} cores: {total / N_WORKERS:,.1f} hours. That rate was measured over
{figures["videos"]:,} videos. What is dense in the catalogue grows with it: an exact search of
{N_VIDEOS:,} videos for every user is {flops:.1e} operations, {product_s / 3_600:,.0f} core-hours of
bare matrix product at {figures["search"]["product_gflop_per_s"]} GFLOP/s measured here;
{PROBED_SHARE:.0%} of the lists take {product_s * PROBED_SHARE / 3_600:,.0f}.
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

`recommendations`: {rows:,} rows of {size:,.0f} bytes as text, {rows * size / 1e12:.2f} TB a run
before indexes; seven runs are kept, {7 * rows * size / 1e12:.1f} TB. A run is a partition, so an
old one is dropped whole. Publish time: {time}.
"""


def _drivers(figures: dict[str, Any]) -> str:
    run = figures["runs"][-1]
    dearest = max(LIST_JOBS, key=lambda job: run["seconds"][job])
    masks = IDS_PER_BUCKET * N_VIDEOS * 4 / GIB
    return f"""## What drives the cost, and what stands in the way

* `{dearest}` is the dearest job: a score is taken apart by leaving out what a user watched, up to
  20 scorings a list.
* `find_candidates` holds masks and scores of {IDS_PER_BUCKET} users by all videos: {masks:.1f} GiB
  of float32 at {N_VIDEOS:,} videos. At this size the catalogue must be cut by region and age
  before, or the sparse sources must stay sparse; that is not built.
* `train_models` is one task. It passes over every shard and learns from at most
  `VIDREC_RECOMMENDING__MAX_TRAINING_USERS` users (decision 0023), for the hours that their
  histories need. `validate_inputs` is one task too, out of core. `benchmarks.out_of_core` says
  what both hold.
* `list_fallbacks` and `summarise_audiences` hold what all users watched in one task, five columns
  of it. At this size they must be counted shard by shard; that is not built.
* Films are decoded and encoded only when they change, sentences when evidence changed; neither is
  in the rates above.
"""


if __name__ == "__main__":
    raise SystemExit(main())

"""Scale page: ten times the largest catalogue and the most users measured, from their rates.

``python -m benchmarks.scale_page --scale JSON [--beside JSON …] [--publishing JSON]
[--night JSON …] --into docs/SCALE.md``: the JSON of `benchmarks.scale` (and of its runs of other
sizes, given beside it), of `benchmarks.publishing` for publishing, and of `benchmarks.whole_night`
for nights through Airflow. Nothing here is measured anew and nothing is guessed: what was not
measured is said not to be known, and nothing is computed for more than ten times what was measured.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.scale_stages import LIST_JOBS, LIST_STAGES
from vidrec_tasks.content.index import HNSW_LIMIT, PROBED_SHARES
from vidrec_tasks.content.inverted import LOOKED_AT
from vidrec_tasks.recommending.lists.scorers.trees import Trees
from vidrec_tasks.settings import ContentSettings, RecommendingSettings

TIMES: Final = 10
"""How far beyond what was measured anything is computed."""
MAPPED_LIMIT: Final = 1_024
"""Tasks that Airflow maps one task over ([core] max_map_length)."""
DIM, TOWER_DIM = 384, RecommendingSettings().dim
N_WORKERS: Final = 100
GIB: Final = 2**30
EXACT_LIMIT: Final = ContentSettings().index_exact_limit
STAGE_MS: Final = "stage_ms_a_user"
_RATES: Final = (
    ("all list jobs, users/s", "users_per_s"),
    ("find, rank and rerank, ms a user", STAGE_MS),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.scale_page", description=__doc__)
    parser.add_argument("--scale", type=Path, required=True)
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="of other sizes")
    parser.add_argument("--publishing", type=Path)
    parser.add_argument("--night", type=Path, nargs="*", default=[], help="the largest last")
    parser.add_argument("--into", type=Path, required=True)
    asked = parser.parse_args(arguments)
    scale = json.loads(asked.scale.read_text())
    publishing = json.loads(asked.publishing.read_text()) if asked.publishing else None
    nights, beside = (
        [json.loads(path.read_text()) for path in paths] for paths in (asked.night, asked.beside)
    )
    asked.into.write_text(page(scale, publishing, nights, beside), encoding="utf-8")
    return 0


def page(
    scale: dict[str, Any],
    publishing: dict[str, Any] | None = None,
    nights: Sequence[dict[str, Any]] = (),
    beside: Sequence[dict[str, Any]] = (),
) -> str:
    """The page in Markdown."""
    figures = scale["figures"]
    parts = [
        _head(scale, [one["figures"] for one in beside]),
        _beside(scale), _index(figures), _shards(figures), _work(figures),
        _tables(figures, publishing), *_nights(nights),
        _drivers(figures) + _serving(figures, nights),
    ]  # fmt: skip
    return "\n".join(parts)


def n_videos(figures: dict[str, Any]) -> int:
    """Videos that are computed for."""
    return int(TIMES * figures["videos"])


def n_users(figures: dict[str, Any]) -> int:
    """Users that are computed for."""
    return int(TIMES * figures["runs"][-1]["users"])


def index_bytes(n: int, dim: int, in_lists: int) -> int:
    """Bytes of inverted lists over ``n`` vectors: codes, numbers, centres.

    ``in_lists``: how many numbers of a vector the lists hold; codes of whole vectors, and numbers
    of rows, stand beside them where these are fewer than ``dim``.
    """
    beside = dim + 8 if in_lists < dim else 0
    return n * (in_lists + 8 + beside) + int(4 * math.sqrt(n)) * in_lists * 4


def _head(scale: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    figures = scale["figures"]
    small, run = figures["runs"]
    measured = [*_measured(figures), *(row for other in others for row in _of_size(other))]
    rows = "\n".join(
        f"| {what} | {_said(value)} | {_said(videos)} | {_said(users)} |"
        for what, value, videos, users in measured
    )
    return f"""# Scale

<!-- Made of the figures in measured/ by `python -m benchmarks.scale_page`: its --scale is
scale-1000000.json, --beside scale-200000.json, --publishing publishing.json, --night night.json
night-200000.json, --into this page. To change them, run `python -m benchmarks.scale` again. -->

This page estimates the cost of {n_videos(figures):,} videos and {n_users(figures):,} users,
{TIMES} times what was measured: {figures["videos"]:,} videos, {small["users"]:,} and
{run["users"]:,} users. Histories and popularity are drawn from a long tail (Zipf), embeddings with
the spectrum of the embedded encoder's.

| measured | value | videos | users |
|---|---|---|---|
{rows}

Rates are of one process with one thread{_side_by_side([figures, *others])}.
{_ordered([figures, *others])}
{_growth(figures)}{_dearer(figures, others)} {_noted(figures)}{_failed(figures)}
"""


def _side_by_side(runs: Sequence[dict[str, Any]]) -> str:
    """Where more than one process ran at a time, which takes from the rate of each."""
    many = [one for one in runs if one.get("processes", 1) > 1]
    said = (f"{one['processes']} ran side by side over {one['videos']:,} videos" for one in many)
    return "".join(f"; {text}" for text in said)


def _ordered(runs: Sequence[dict[str, Any]]) -> str:
    """By what the lists were ordered: trees cost more than what else may."""
    bare = [f"{one['videos']:,}" for one in runs if not _has_trees(one)]
    if not bare:
        return "The lists are ordered by trees, as on most nights."
    if len(bare) == len(runs):
        return "No trees order the lists here; they serve most nights, and cost more."
    return (
        "The lists are ordered by trees, as on most nights, but for those over\n"
        f"{' and '.join(bare)} videos, which would cost more with them."
    )


def _dearer(figures: dict[str, Any], others: Sequence[dict[str, Any]]) -> str:
    """Where a smaller catalogue costs more a user, because its content is searched exactly."""
    said = [
        f" Over {one['videos']:,} videos a user costs more,\n{one[STAGE_MS]} ms: content is "
        f"searched exactly up to {EXACT_LIMIT:,} vectors."
        for one in others
        if one["videos"] < figures["videos"] and one[STAGE_MS] > figures[STAGE_MS]
    ]
    return "".join(said)


def _noted(figures: dict[str, Any]) -> str:
    """What is known of the machine."""
    unknown = "Times were measured on a\nmachine that may have been busy with other work."
    return str(figures.get("note", unknown))


def _measured(figures: dict[str, Any]) -> list[tuple[str, Any, Any, Any]]:
    """Every figure with the sizes that it was measured at; None: not measured."""
    before, dense = figures.get("against"), figures["dense"] or {}
    users = figures["runs"][-1]["users"]
    rows: list[tuple[str, Any, Any, Any]] = []
    if before is not None:
        rows += [(what, before[key], before["videos"], before["users"]) for what, key in _RATES]
    from_videos = "–" if before is None else f"{before['videos']:,} to {figures['videos']:,}"
    return [
        *rows,
        *_of_size(figures),
        ("growth exponent of find, rank and rerank over videos", figures["catalogue_exponent"],
         from_videos, users),
        ("listed rows that scores of all users times all videos would list too",
         figures["lists_equal_dense"], dense.get("videos"), dense.get("users")),
    ]  # fmt: skip


def _of_size(figures: dict[str, Any]) -> list[tuple[str, Any, Any, Any]]:
    """What a run measures at any size."""
    small, run = figures["runs"]
    videos, users = figures["videos"], run["users"]
    share = figures["orchestration_share"]
    return [
        *((what, figures[key], videos, users) for what, key in _RATES),
        ("growth exponent of the list jobs' time over users", figures["growth_exponent"],
         videos, f"{small['users']:,} to {users:,}"),
        (f"peak memory of a process, {_in_a_shard(run, figures):,} users a shard, GiB",
         figures["peak_gib"], videos, users),
        ("orchestration, as a share of the time of profiles and lists",
         None if share is None else f"{share:.1%}", videos, 100_000),
    ]  # fmt: skip


def _said(value: Any) -> str:
    if value is None:
        return "not measured"
    return value if isinstance(value, str) else f"{value:,}"


def _beside(scale: dict[str, Any]) -> str:
    """What a user would pick for a part of it."""
    figures = scale["figures"]
    search, peer = figures["search"], figures.get("peer")
    rates = search["users_per_s"]
    rows = [
        f"| content index of vidrec ({search['kind']}) | {rates['vidrec']:,} "
        f"| {search['recall']} |",
        f"| FAISS alone, `IndexFlatIP` as it comes | {rates['faiss_flat']:,} | 1 |",
        *_by_matrices(rates),
        f"| the matrix product alone | {rates['product_alone']:,} | – |",
    ]
    said = "`implicit` was not measured."
    if peer is not None and "implicit" in peer:
        rows += [
            f"| `f(v)` index of vidrec ({peer['kind']}) | {peer['vidrec']['users_per_s']:,} | "
            f"{peer['vidrec']['recall']} |",
            f"| `implicit` {peer['version']}, `recommend` | {peer['implicit']['users_per_s']:,} | "
            f"{peer['implicit']['recall']} |",
        ]
        said = (
            f"The index of `f(v)` has {peer['dim']} dimensions ({TOWER_DIM} of the tower, one for\n"
            f"what everybody watches lately); {peer['k']} candidates a user are asked for."
        )
    body = "\n".join(rows)
    return f"""## Beside libraries

Search alone, {figures["videos"]:,} videos, one thread, users in blocks; recall of the exact
top {search["k"]} of {search["dim"]} dimensions.

| | users/s | recall |
|---|---|---|
{body}

{said} Gorse's documentation explains how to trade speed for precision and publishes no rates
(docs.gorse.io, "Performance vs Precision").
"""


def _by_matrices(rates: dict[str, float]) -> list[str]:
    rate = rates.get("faiss_flat_by_matrices")
    what = "FAISS alone, told to multiply matrices as vidrec tells it"
    return [] if rate is None else [f"| {what} | {rate:,} | 1 |"]


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


def _index(figures: dict[str, Any]) -> str:
    n = n_videos(figures)
    lists = int(4 * math.sqrt(n))
    in_lists = figures["search"].get("coordinates") or DIM
    rows = "\n".join(
        f"| {what} | {dim} | {index_bytes(n, dim, held) / GIB:.1f} GiB | "
        f"{n * dim * 4 / GIB:.1f} GiB |"
        for what, dim, held in (("content", DIM, in_lists), ("`f(v)`", TOWER_DIM, TOWER_DIM))
    )
    share = figures["search"].get("probed_share")
    probed = (
        f"{PROBED_SHARES[0]:.2%} to {PROBED_SHARES[-1]:.0%} of them, as few as the recall needs"
        if share is None
        else f"{max(int(share * lists), 1):,} at the share of {share:.2%} that was needed above"
    )
    coordinates = (
        f"""
Of content the lists hold {in_lists} principal coordinates; codes of all {DIM} dimensions order the
{LOOKED_AT} that are found by these, or twice as many as are asked for (decision 0038)."""
        if in_lists < DIM
        else ""
    )
    return f"""## Index

Above {HNSW_LIMIT:,} vectors `build_index` makes inverted lists with 8-bit codes (`ivf_sq`):
here {lists:,} lists. A search probes {probed}.{coordinates}

| vectors | dimensions | index | the vectors themselves |
|---|---|---|---|
{rows}
"""


def _shards(figures: dict[str, Any]) -> str:
    users_in_all = n_users(figures)
    small, large = figures["runs"]
    users, before = (_in_a_shard(run, figures) for run in (large, small))
    per_shard = _shard_size(figures)
    of_videos = max(1_000, math.ceil(n_videos(figures) / MAPPED_LIMIT / 1_000) * 1_000)
    user_shards, video_shards = (
        math.ceil(users_in_all / per_shard), math.ceil(n_videos(figures) / of_videos),
    )  # fmt: skip
    slope = (large["peak_gib"] - small["peak_gib"]) / max(1, users - before)
    memory = f"was not measured; {large['peak_gib']} GiB was measured with shards of {users:,}"
    if per_shard == users:
        memory = f"takes {large['peak_gib']} GiB, as measured"
    elif users > before and slope > 0:
        at_once = large["peak_gib"] + slope * (per_shard - users)
        memory = (
            f"takes {at_once:.1f} GiB by the line through {small['peak_gib']} GiB "
            f"({before:,} users a shard) and {large['peak_gib']} GiB ({users:,})"
        )
    return f"""## Shards

A task is mapped over at most {MAPPED_LIMIT:,} shards, so the settings are
`VIDREC_INPUTS__USERS_PER_SHARD={per_shard}` ({user_shards:,} user shards) and
`VIDREC_INPUTS__VIDEOS_PER_SHARD={of_videos}` ({video_shards:,} video
shards). A process with such a shard of users and {figures["videos"]:,} videos {memory}; with
{n_videos(figures):,} videos it was not measured.
"""


def _shard_size(figures: dict[str, Any]) -> int:
    """Users of a shard, so that no task is mapped over more than may be."""
    users = _in_a_shard(figures["runs"][-1], figures)
    return max(users, math.ceil(n_users(figures) / MAPPED_LIMIT / 1_000) * 1_000)


def _in_a_shard(run: dict[str, Any], figures: dict[str, Any]) -> int:
    return int(min(run["users"], figures["users_per_shard"]))


def _work(figures: dict[str, Any]) -> str:
    run = figures["runs"][-1]
    users = n_users(figures)
    hours = {job: run["seconds"][job] / run["users"] * users / 3_600 for job in LIST_JOBS}
    n_cores = min(N_WORKERS, math.ceil(users / _shard_size(figures)))
    total = sum(hours.values())
    rows = "\n".join(f"| `{job}` | {number:,.1f} | {number / total:.0%} |"
                     for job, number in hours.items())  # fmt: skip
    exponent = figures["catalogue_exponent"]
    said = "how they grow with the catalogue was not measured"
    if exponent is not None:
        more = sum(hours[job] for job in LIST_STAGES) * (TIMES**exponent - 1)
        said = (
            f"with {n_videos(figures):,} videos find, rank and rerank would take\n{more:,.1f} "
            f"core-hours more by the measured exponent of {exponent}"
        )
    return f"""## Core-hours of the lists, at the measured rate

| job | core-hours | share |
|---|---|---|
{rows}
| all | {total:,.1f} | |

On {n_cores:,} cores, at most one a shard of users, this takes {total / n_cores:,.2f} hours. The
rate was measured with {figures["videos"]:,} videos; {said}.
"""


def _tables(figures: dict[str, Any], publishing: dict[str, Any] | None) -> str:
    run = figures["runs"][-1]
    rows = round(run["list_rows"] / run["users"] * n_users(figures))
    size = run["list_text_bytes"] / run["list_rows"]
    time = "not computed here: give `--publishing`, the JSON of `benchmarks.publishing`"
    if publishing is not None:
        found = publishing["figures"]
        rate = found["rows"] / found["publish_s"]
        time = (
            f"{_long(rows / rate)} by one connection at the {rate:,.0f} rows/s of "
            "`benchmarks.publishing`; the switch itself is one row"
        )
    return f"""## Tables

`recommendations` has {rows:,} rows of {size:,.0f} bytes as text, {rows * size / 1e9:,.1f} GB a run
before indexes. Seven runs are kept, {7 * rows * size / 1e9:,.0f} GB. A run is a partition, so an
old run is dropped whole. Publish time: {time}.
"""


def _long(seconds: float) -> str:
    return f"{seconds:,.0f} seconds" if seconds < 3_600 else f"{seconds / 3_600:,.1f} hours"


def _nights(nights: Sequence[dict[str, Any]]) -> list[str]:
    """Nights through Airflow."""
    if nights:
        return [_night(night) for night in nights]
    return [
        "## A whole night\n\nNot measured here: give `--night`, the JSON of "
        "`benchmarks.whole_night`.\n"
    ]


def _night(night: dict[str, Any]) -> str:
    """What each job took."""
    figures = night["figures"]
    rows = "\n".join(
        f"| `{job}` | {said['shards']} | {said['seconds']:,} | {_said(said['peak_gib'])} |"
        for job, said in figures["jobs"].items()
    )
    published = "was published after" if figures["published"] else "had not been published after"
    title = "A whole night" if figures["published"] else "A larger night, as far as it came"
    given = "".join(f" `{name}={value}`" for name, value in figures.get("settings", {}).items())
    ended = (
        f" with {figures['list_rows']:,} list rows; {figures['gates_passed']} of\n"
        f"{figures['gates']} gates passed"
        if figures["published"]
        else ""
    )
    return f"""## {title}

{figures["videos"]:,} videos with titles and no films, {figures["users"]:,} users, through a real
Airflow, two tasks at a time (`python -m benchmarks.whole_night`). The night {published}
{figures["hours"]} hours{ended}. Peaks are of a task's process, or of one that it started.
{f"Settings that are not the defaults:{given}." if given else "All settings are the defaults."}

| job | shards | seconds | peak, GiB |
|---|---|---|---|
{rows}
{_of_night(figures)}"""


def _of_night(figures: dict[str, Any]) -> str:
    """What is known of the circumstances of a night."""
    return f"\n{figures['note']}\n" if figures.get("note") else ""


def _serving(scale: dict[str, Any], nights: Sequence[dict[str, Any]]) -> str:
    """What the list stages took in a night, where learned models serve and not planted ones."""
    if not nights or not set(LIST_STAGES) <= set(nights[-1]["figures"]["jobs"]):
        return ""
    figures = nights[-1]["figures"]
    jobs, users = figures["jobs"], figures["users"]
    ms = 1_000 * sum(jobs[job]["seconds"] for job in LIST_STAGES) / users
    planted = "planted models" + ("" if _has_trees(scale) else ", by which no trees serve")
    return (
        f"* The rates above are those of {planted}. In the\n"
        f"  night of {figures['videos']:,} videos, where what was learned serves, find, rank and\n"
        f"  rerank took {ms:,.0f} ms of a task a user, two tasks at a time.\n"
    )


def _has_trees(figures: dict[str, Any]) -> bool:
    return bool(figures.get("scorer") == Trees.name)


def _drivers(figures: dict[str, Any]) -> str:
    run = figures["runs"][-1]
    dearest = max(LIST_JOBS, key=lambda job: run["seconds"][job])
    return f"""## Cost drivers and obstacles

* `{dearest}` is the most expensive job.
* `explain_lists` attributes a score by leaving out videos that the user watched, with up to 20
  scorings a list, and holds the visits of the users whom explanations count (at most
  `VIDREC_RECOMMENDING__MAX_TRAINING_USERS`, drawn once a night by `draw_peers`).
* The embeddings themselves, {figures["videos"] * DIM * 4 / GIB:.2f} GiB here, are mapped, and rows
  all over so large a file are read from it (decision 0043). Peaks count pages of mapped files,
  which the system takes back when it needs them.
* The list stages hold no array of users times videos (decision 0038); what they hold of the
  catalogue are its embeddings, `f(v)`, an index over each, and the item-item models.
* `train_models` is one task. It passes over every shard, learns from at most
  `VIDREC_RECOMMENDING__MAX_TRAINING_USERS` users (decision 0023), and takes the hours that their
  histories need. `validate_inputs` is one task too and works out of core.
  `benchmarks.out_of_core` measures the memory of both.
* `list_fallbacks` and `summarise_audiences` are one task each and count shard by shard
  (decision 0042).
* Video files are decoded and encoded only when they change, and sentences are written only when
  their evidence changes. Neither is in the rates above.
"""


if __name__ == "__main__":
    raise SystemExit(main())

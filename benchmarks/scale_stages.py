"""The list stages over one number of users, in a process of its own, so that its peak is its own.

``python -m benchmarks.scale_stages STORE N_USERS USERS_A_SHARD EVERY OUT`` over a store that
`scale_world.plant_shared` has made, over the shards ``EVERY`` (``0/2``: the even ones, while
another process does ``1/2``). Only the jobs' own seconds count, not the planting.
"""

import json
import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.scale_world import NIGHT, forget, open_run, plant_shard, settings_of
from vidrec_tasks.running.runner import Order, run_job
from vidrec_tasks.store.artefacts import Ref
from vidrec_tasks.store.shards import Split

log = logging.getLogger(__name__)

BEFORE: Final = ("build_profiles",)
LIST_JOBS: Final = (
    "embed_users", "find_candidates", "rank_candidates", "rerank_lists", "explain_lists",
)  # fmt: skip
LIST_STAGES: Final = ("find_candidates", "rank_candidates", "rerank_lists")
"""Those that look for videos in the catalogue."""


def run_stages(
    store: Path, n_users: int, users_per_shard: int, *, part: int = 0, n_parts: int = 1
) -> dict[str, Any]:
    """Run the list stages of every ``n_parts``-th shard, one after the other.

    Returns:
        users, shards, seconds by job, list_rows and their bytes as text (of the first shard, for as
        many rows), artefact_bytes, peak_gib: of the job with the largest, and peaks_gib by job.
    """
    settings = settings_of(store, users_per_shard)
    sizes = [min(users_per_shard, n_users - first) for first in range(0, n_users, users_per_shard)]
    # users are planted a shard at a time, whatever their hashes: buckets as large as a night's
    n_buckets = Split.of(users_per_shard, users_per_shard).n_buckets
    run = open_run(settings, n_user_shards=len(sizes), n_user_buckets=n_buckets)
    seconds: Counter[str] = Counter()
    peaks: dict[str, float] = {}
    n_bytes = n_rows = 0
    bytes_a_row = 0.0
    mine = range(part, len(sizes), n_parts)
    for shard in mine:
        size = sizes[shard]
        refs = plant_shard(run, shard, size)
        for job in (*BEFORE, *LIST_JOBS):
            # what a run that was ended left is made again: its seconds count too
            receipt = run_job(Order(job, NIGHT, str(shard), owner="scale", force=True), settings)
            seconds[job] += receipt["seconds"]
            peaks[job] = max(peaks.get(job, 0.0), (receipt["peak_mib"] or 0.0) / 2**10)
            refs += [Ref(**ref) for ref in receipt["artefacts"]]
            n_rows += receipt["counts"].get("rows", 0) if job == "explain_lists" else 0
        if not bytes_a_row:
            table = run.read_table(f"explained.{shard}")
            bytes_a_row = len(table.to_csv(index=False).encode()) / max(1, len(table))
            del table
        n_bytes += forget(run, refs)
        log.info("%d of %d shards of %d users", shard + 1, len(sizes), users_per_shard)
    return {
        "users": sum(sizes[shard] for shard in mine),
        "shards": len(mine),
        "seconds": {job: round(seconds[job], 3) for job in (*BEFORE, *LIST_JOBS)},
        "list_rows": n_rows,
        "list_text_bytes": round(bytes_a_row * n_rows),
        "artefact_bytes": n_bytes,
        "peak_gib": round(max(peaks.values()), 3),
        "peaks_gib": {job: round(peak, 3) for job, peak in peaks.items()},
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    store, n_users, users_per_shard, every, out = sys.argv[1:]
    part, n_parts = (int(number) for number in every.split("/"))
    said = run_stages(Path(store), int(n_users), int(users_per_shard), part=part, n_parts=n_parts)
    Path(out).write_text(json.dumps(said))

"""The list stages over one number of users, in a process of its own, so that its peak is its own.

``python -m benchmarks.scale_stages STORE N_USERS USERS_A_SHARD OUT`` over a store that
`scale_world.plant_shared` has made. Only the jobs' own seconds count, not the planting.
"""

import json
import logging
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.scale_world import NIGHT, forget, open_run, plant_shard, settings_of
from vidrec_tasks.jobs._runner import Order, run_job
from vidrec_tasks.store.artefacts import Ref

log = logging.getLogger(__name__)

BEFORE: Final = ("build_profiles",)
LIST_JOBS: Final = (
    "embed_users", "find_candidates", "rank_candidates", "rerank_lists", "explain_lists",
)  # fmt: skip


def run_stages(store: Path, n_users: int, users_per_shard: int) -> dict[str, Any]:
    """Run every shard's list stages, one after the other.

    Returns:
        users, shards, seconds by job, list_rows and their bytes as text, artefact_bytes, peak_gib
        of this process.
    """
    settings = settings_of(store, users_per_shard)
    sizes = [min(users_per_shard, n_users - first) for first in range(0, n_users, users_per_shard)]
    run = open_run(settings, n_user_shards=len(sizes))
    seconds: Counter[str] = Counter()
    n_bytes = n_rows = n_text = 0
    for shard, size in enumerate(sizes):
        refs = plant_shard(run, shard, size)
        for job in (*BEFORE, *LIST_JOBS):
            receipt = run_job(Order(job, NIGHT, str(shard)), settings)
            seconds[job] += receipt["seconds"]
            refs += [Ref(**ref) for ref in receipt["artefacts"]]
            n_rows += receipt["counts"].get("rows", 0) if job == "explain_lists" else 0
        n_text += len(run.read(f"explained.{shard}").to_csv(index=False).encode())
        n_bytes += forget(run, refs)
        log.info("%d of %d shards of %d users", shard + 1, len(sizes), users_per_shard)
    return {
        "users": n_users,
        "shards": len(sizes),
        "seconds": {job: round(seconds[job], 3) for job in (*BEFORE, *LIST_JOBS)},
        "list_rows": n_rows,
        "list_text_bytes": n_text,
        "artefact_bytes": n_bytes,
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3),
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    store, n_users, users_per_shard, out = sys.argv[1:]
    said = run_stages(Path(store), int(n_users), int(users_per_shard))
    Path(out).write_text(json.dumps(said))

"""draw_peers: the visits of a draw of users, whom explanations count when they speak of others.

Drawn by the hash that models draw by, so at most `VIDREC_RECOMMENDING__MAX_TRAINING_USERS` users
whatever the total; where that leaves somebody out, explanations say that they count a sample.
"""

from typing import Final

from vidrec_tasks.columns import EVENT_AT, USER_ID, VIDEO_NUM, WEIGHT
from vidrec_tasks.jobs.shared.visits import draw_learners
from vidrec_tasks.running.job import Context, Made, job, shards_of
from vidrec_tasks.store.codecs import Part

COLUMNS: Final = [USER_ID, VIDEO_NUM, EVENT_AT, WEIGHT]


@job()
def draw_peers(context: Context) -> Made:
    """Draw from the users of all shards, one shard in memory at a time."""
    draw, n_users = draw_learners(context), 0
    for name in shards_of(context.run, "profiles"):
        visits = context.read_rows(name, "visits", columns=COLUMNS)
        draw.add(visits[COLUMNS])
        n_users += int(visits[USER_ID].nunique())
    # by user, as they came within one, so that the number of shards does not show
    table = draw.rows().sort_values(USER_ID, kind="stable", ignore_index=True)
    n_drawn = int(table[USER_ID].nunique())
    counts = {"users": n_drawn, "users_not_drawn": n_users - n_drawn, "visits": len(table)}
    parts: dict[str, Part] = {"table": table, "counts": {"n_users": n_users, "n_drawn": n_drawn}}
    return Made({"peers": parts}, counts)

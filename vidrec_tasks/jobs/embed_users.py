"""embed_users: ``g(u)`` of a shard's users, from the serving fit."""

import numpy as np
import pandas as pd

from vidrec_tasks.columns import MODEL, USER_ID, USER_NUM
from vidrec_tasks.jobs.shared.reading import read_content, read_histories, read_serving
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.store.codecs import Part


@job()
def embed_users(context: Context) -> Made:
    """Read each history through the user tower."""
    histories = read_histories(context)
    models = read_serving(context, read_content(context))
    vectors = np.zeros((histories.n_users, models.video_vectors.shape[1]), dtype=np.float32)
    for nums, block in histories.blocks():
        vectors[nums] = models.user_vectors(block)
    table = pd.DataFrame(
        {
            USER_ID: pd.Series(histories.user_ids, dtype="str"),
            USER_NUM: np.arange(histories.n_users),
            MODEL: context.run.ref("models.serving").checksum,
        }
    )
    parts: dict[str, Part] = {"table": table, "vectors": vectors}
    return Made({context.own("user_vectors"): parts}, {"users": len(table)})

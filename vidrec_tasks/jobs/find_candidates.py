"""find_candidates: for each user of a shard the videos worth ranking, each with its source."""

import numpy as np
import pandas as pd

from vidrec_tasks.columns import SCORE, SOURCE, SOURCE_RANK, USER_ID, VIDEO_ID
from vidrec_tasks.content.index import Index
from vidrec_tasks.hardware import release_pages
from vidrec_tasks.jobs.shared.reading import (
    read_content,
    read_histories,
    read_rules,
    read_serving,
    rows_of,
)
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates as find
from vidrec_tasks.recommending.lists.sources.finding import COUNTED
from vidrec_tasks.running.job import Context, Made, job

TEXT_LIMIT = 200_000
"""Videos up to whose texts sentences are compared one by one; of more, the index of fused
embeddings answers, which are of the same space: texts alone would be 1.4 GiB of a million."""
COLUMNS = (USER_ID, VIDEO_ID, SOURCE, SOURCE_RANK, SCORE)


@job()
def find_candidates(context: Context) -> Made:
    """Ask every source for every user, a bucket at a time."""
    search = read_search(context)
    histories = read_histories(context)
    rules = read_rules(context, context.night, histories.user_ids)
    user_vectors = context.read_array(context.own("user_vectors"), "vectors")
    portraits = rows_of(
        context.read_table(context.own("portraits")),
        context.read_array(context.own("portraits"), "vectors"),
        histories.user_ids,
    )
    tables = [pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})]
    for nums, block in histories.blocks():
        _, table = find(
            search,
            block,
            rules.eligible(block.user_ids),
            context.settings.recommending,
            portraits=portraits[nums],
            user_vectors=user_vectors[nums],
        )
        tables.append(table)
        release_pages(search.models.content.fused)
    table = pd.concat(tables[1:] or tables, ignore_index=True)
    table = table.sort_values(USER_ID, kind="stable", ignore_index=True)
    counts = {
        "users": histories.n_users,
        "candidates": len(table),
        "per_user": round(len(table) / max(1, histories.n_users), 1),
        "sources": int(np.unique(table[SOURCE].astype(str)).size),
        **{name: search.counts[name] for name in COUNTED},
    }
    return Made({context.own("candidates"): {"table": table}}, counts)


def read_search(context: Context) -> Search:
    """The serving models, and the indexes over their vectors."""
    content = read_content(context)
    return Search(
        read_serving(context, content),
        Index.from_parts(context.parts("video_vectors")),
        Index.from_parts(context.parts("content_index")),
        context.read_array("content", "text") if content.n_videos <= TEXT_LIMIT else None,
    )

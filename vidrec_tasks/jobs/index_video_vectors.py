"""index_video_vectors: every ``f(v)`` of the serving fit, and the index that finds them."""

import numpy as np
import pandas as pd

from vidrec_tasks.columns import MODEL, VIDEO_ID, VIDEO_NUM
from vidrec_tasks.content.index import build_index
from vidrec_tasks.jobs.shared.reading import read_content, read_models
from vidrec_tasks.running.job import Context, Made, job
from vidrec_tasks.store.codecs import Part


@job()
def index_video_vectors(context: Context) -> Made:
    """Embed every video and build the index over them."""
    content = read_content(context)
    vectors = read_models(context, "serving", content).video_vectors
    index = build_index(vectors, context.settings.content)
    table = pd.DataFrame(
        {
            VIDEO_ID: pd.Series(content.video_ids, dtype="str"),
            VIDEO_NUM: np.arange(content.n_videos),
            MODEL: context.run.ref("models.serving").checksum,
        }
    )
    parts: dict[str, Part] = {
        "table": table,
        "vectors": vectors,
        "index": index.poured(),
        "info": index.info,
    }
    return Made({"video_vectors": parts}, {"videos": len(table), "index": index.info["kind"]})

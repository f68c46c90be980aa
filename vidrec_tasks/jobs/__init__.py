"""Jobs: one file a task; each reads, checks, calls a stage, checks, writes, returns a receipt.

A job's file, its task id in Airflow and its log lines have one name. Jobs never import each other.
"""

import os
from typing import Final

# A waiting OpenMP thread sleeps instead of spinning: on two cores shared with others, 16 sentences
# took 11 s so and over 200 s spinning. It must stand before torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

NIGHT: Final = (
    "validate_inputs",
    "extract_keyframes",
    "embed_videos",
    "find_duplicates",
    "build_content_index",
    "build_profiles",
    "write_portraits",
    "train_models",
    "index_video_vectors",
    "embed_users",
    "find_candidates",
    "rank_candidates",
    "rerank_lists",
    "explain_lists",
    "list_similar",
    "list_fallbacks",
    "answer_queries",
    "summarise_audiences",
    "evaluate_lists",
    "check_gates",
    "publish_lists",
    "write_report",
)
"""The jobs of a night, in an order that works."""

BY_HAND: Final = ("answer_request", "roll_back", "forget_users")
"""The jobs that are called from a form or by hand."""

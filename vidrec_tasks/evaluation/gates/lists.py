"""Lists: that users have one, and that no row of it is wrong; recounted from the tables alone."""

from typing import Final

from vidrec_tasks.evaluation.gates.evidence import Evidence
from vidrec_tasks.evaluation.gates.gate import Gate, none_of


def _share_served(night: Evidence) -> float | None:
    counts = night.counts
    if counts.n_active < night.settings.evaluation.min_gate_users:
        return None
    return (counts.n_listed + counts.n_exhausted) / counts.n_active


def _few_active(night: Evidence) -> str:
    return f"fewer than {night.settings.evaluation.min_gate_users} users are active"


LIST_GATES: Final = (
    Gate(
        "list_share", "at_least",
        measure=_share_served,
        bound=lambda settings: settings.evaluation.min_list_share,
        formula="(active users with a list + those who watched all that is visible) / active "
                "users; active: an interaction before the night",
        meaning="Active users with a list, or who have watched all there is.",
        absent=_few_active,
    ),
    none_of(
        "repeated_rows", lambda night: night.counts.n_repeated,
        formula="count of rows whose video or rank stands twice in the user's list",
        meaning="Rows that repeat a user's video or rank.",
    ),
    none_of(
        "seen_videos", lambda night: night.counts.n_seen,
        formula="count of rows whose video the user watched before the night",
        meaning="Rows with a video that the user watched already.",
    ),
    none_of(
        "expired_videos", lambda night: night.counts.n_expired,
        formula="count of rows with expires_at <= night 00:00 UTC",
        meaning="Rows with a video past its expiry.",
    ),
    none_of(
        "inactive_videos", lambda night: night.counts.n_inactive,
        formula="count of rows whose video is unknown or whose status is not 'active'",
        meaning="Rows with a video that is not active or unknown.",
    ),
    none_of(
        "barred_videos", lambda night: night.counts.n_barred,
        formula="count of rows against region, max_age_rating or opted_out",
        meaning="Rows against a user's region, age or opt-out.",
    ),
    none_of(
        "near_duplicates", lambda night: night.counts.n_near_duplicates,
        formula="count of rows whose duplicate group stands earlier in the list",
        meaning="Rows like an earlier one of the list.",
    ),
    none_of(
        "wrong_sums", lambda night: night.counts.n_wrong_sums,
        formula="count of rows with sum(score_components) != score, rounding left aside",
        meaning="Rows whose score components do not sum to it.",
    ),
    none_of(
        "rank_gaps", lambda night: night.counts.n_gaps,
        formula="count of users whose ranks are not 1..m, m <= n",
        meaning="Users whose ranks are not 1, 2, … up to n.",
    ),
)  # fmt: skip

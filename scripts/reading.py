"""What a back end asks of the result tables, as docs/TABLES.md says it; tests run that text."""

from typing import Final

INTRO: Final = """The same SQL on SQLite and PostgreSQL; `:name` is a parameter. Each query is one
statement, so what it answers is of one night, whatever is published meanwhile. The reader that
`python -m vidrec_tasks roles` creates may run all of them. SQLite gives JSON columns as text."""

QUERIES: Final = (
    (
        "One user's list",
        "After `valid_until` a row is stale: the night is late, or its video has expired.",
        """SELECT rank, video_id, score, reason_code, explanation, valid_until
FROM current_recommendations
WHERE user_id = :user_id
ORDER BY rank
LIMIT :n""",
    ),
    (
        "A list for whoever it is",
        "The user's own list, else the segment's, else everybody's. Who is unknown, opted out or "
        "was erased has no list of their own. No row at all: nothing was published, or no video is "
        "allowed to everybody; show what you show without vidrec.",
        """WITH
own AS (
    SELECT rank, video_id, score, reason_code, explanation
    FROM current_recommendations WHERE user_id = :user_id
),
theirs AS (
    SELECT rank, video_id, score, reason_code, explanation
    FROM current_fallback_recommendations WHERE segment = :segment
),
everybodys AS (
    SELECT rank, video_id, score, reason_code, explanation
    FROM current_fallback_recommendations WHERE segment = '__default__'
)
SELECT 'user' AS list, own.* FROM own
UNION ALL
SELECT 'segment', theirs.* FROM theirs WHERE NOT EXISTS (SELECT 1 FROM own)
UNION ALL
SELECT 'default', everybodys.* FROM everybodys
WHERE NOT EXISTS (SELECT 1 FROM own) AND NOT EXISTS (SELECT 1 FROM theirs)
ORDER BY rank
LIMIT :n""",
    ),
    (
        "A batch of users",
        "As many parameters as users. All users: `python -m vidrec_tasks export`.",
        """SELECT user_id, rank, video_id, score
FROM current_recommendations
WHERE user_id IN (:first, :second, :third) AND rank <= :n
ORDER BY user_id, rank""",
    ),
    (
        "Similar videos",
        "",
        """SELECT rank, similar_video_id, score, reason
FROM current_similar_videos
WHERE video_id = :video_id
ORDER BY rank
LIMIT :n""",
    ),
    (
        "Search",
        "Queries of the input table, answered tonight; others are asked on the vidrec page. "
        "`at_s`: where the best frame or passage is, null where the title alone matched.",
        """SELECT rank, video_id, score, matched, at_s
FROM current_search_results
WHERE query = :query
ORDER BY rank
LIMIT :n""",
    ),
    (
        "What a video is",
        "One row a video, or none where it is new since the night. `evidence` says what each field "
        "rests on.",
        """SELECT summary, topics, format, named, card_source
FROM current_video_cards
WHERE video_id = :video_id""",
    ),
    (
        "What is said",
        "What is said in a video and written on its screen, in passages.",
        """SELECT at_s, source, language, text
FROM current_video_texts
WHERE video_id = :video_id
ORDER BY passage_num""",
    ),
    (
        "Freshness",
        "One row, or none before the first night. Alert when `night` is older than yesterday.",
        """SELECT run_id, night, published_at
FROM current_runs""",
    ),
    (
        "Stale rows",
        "How many rows of lists are past their time at a moment.",
        """SELECT count(*) AS n_stale
FROM current_recommendations
WHERE valid_until <= :now""",
    ),
)
"""Title, what to know, statement."""


def reading() -> list[str]:
    """The lines of the chapter."""
    lines = ["", "## Queries", "", INTRO]
    for title, meaning, statement in QUERIES:
        lines += ["", f"### {title}", "", *([meaning, ""] if meaning else [])]
        lines += ["```sql", statement, "```"]
    return lines

"""Hearing: how much of what the demo's films say and show in letters a night found."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from vidrec_tasks.columns import AT_S, MATCHED, QUERY, RANK, SOURCE, TEXT, VIDEO_ID
from vidrec_tasks.demo.spoken import quote_of

NEAR_S: Final = 3.0
"""Seconds that a found moment may lie from the planned one."""

SAID: Final = "said"


def spoken_found(results: pd.DataFrame, truth: Mapping[str, Any]) -> dict[str, int]:
    """Searches for words that are said.

    Args:
        results: query, rank, video_id, matched, at_s.
        truth: of the world.

    Returns:
        n_asked; n_found: how many have a video first that says them, matched by that;
        n_at_second: how many of these are at the right second.
    """
    first = results[results[RANK] == 1].drop_duplicates(QUERY).set_index(QUERY)
    n_found = n_at_second = 0
    for query in truth["spoken_queries"]:
        if query not in first.index:
            continue
        row = first.loc[query]
        spoken = truth["videos"].get(row[VIDEO_ID], {}).get("spoken", [])
        seconds = [line["at_s"] for line in spoken if quote_of(line["text"]) == query]
        if seconds and SAID in str(row[MATCHED]).split("+"):
            n_found += 1
            n_at_second += any(abs(float(row[AT_S]) - at_s) <= NEAR_S for at_s in seconds)
    asked = len(truth["spoken_queries"])
    return {"n_asked": asked, "n_found": n_found, "n_at_second": n_at_second}


def written_found(texts: pd.DataFrame, truth: Mapping[str, Any]) -> dict[str, int]:
    """Title cards that were read.

    Args:
        texts: video_id, source, text of what was published.
        truth: of the world.

    Returns:
        n_read: films on whose screen something was read; n_right: those of them of which every word
        of the title was.
    """
    on_screen = texts[texts[SOURCE] == "screen"].groupby(VIDEO_ID)[TEXT].agg(" ".join)
    words = {video: set(_words(text)) for video, text in on_screen.items()}
    n_right = sum(set(_words(truth["videos"][v]["written"])) <= read for v, read in words.items())
    return {"n_read": len(words), "n_right": n_right}


def _words(text: str) -> list[str]:
    return str(text).casefold().replace(",", " ").split()

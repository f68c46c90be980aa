"""What watching should say: labels compared by the watch time that lists would have got.

``python -m benchmarks.labels --preset kuairand --from DIR --json PATH``. The models are fitted once
with each ``watch_label`` on the same events, those before one cut-off time. Then each ranks what
every user was shown after it for the first time, and nothing else, so that what was watched of it
is known: a replay, in which no video is judged that nobody was shown. The figure is the seconds
watched of the first videos of such a list. The JSON is written again after every label.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.one_line_errors import run
from benchmarks.quality_events import content_of, read_events
from benchmarks.quality_results import ENOUGH_USERS
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.audience.interactions import weigh
from vidrec_tasks.columns import (
    DURATION_S,
    EVENT_AT,
    EVENT_TYPE,
    USER_ID,
    VIDEO_ID,
    WATCHED_S,
)
from vidrec_tasks.errors import InputError
from vidrec_tasks.importing.command import add_arguments, options_of
from vidrec_tasks.importing.presets import PRESETS
from vidrec_tasks.measuring.intervals import bootstrap_interval, paired_bootstrap
from vidrec_tasks.recommending.catalogue.content import Content
from vidrec_tasks.recommending.lists.ranker import pad, score
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.training.fitting import fit_models
from vidrec_tasks.settings import AudienceSettings, RecommendingSettings

log = logging.getLogger("benchmarks.labels")

Ints = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

LABELS: Final = get_args(AudienceSettings.model_fields["watch_label"].annotation)
DEFAULT: Final[str] = AudienceSettings().watch_label
LATER_SHARE: Final = 0.2
"""Share of all events that lie after the cut."""
MOST_SHOWN: Final = 400
"""Videos a user was shown that are ranked at most, drawn: a night ranks as many."""
N_DRAWS: Final = 2_000


@dataclass(frozen=True)
class Shown:
    """What users were shown after the cut for the first time, in a drawn order within a user.

    Attributes:
        user_ids: ``(n_users,)`` who was shown more than fits into a list, sorted.
        user_nums: ``(n,)`` rising, the user of each showing.
        video_nums: ``(n,)`` the video.
        watched_s: ``(n,)`` seconds watched of it after the cut; 0 where it was passed by.
    """

    user_ids: npt.NDArray[np.object_]
    user_nums: Ints
    video_nums: Ints
    watched_s: Doubles


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser, [preset for preset in PRESETS if "interactions" in preset.brings])
    parser.add_argument("--n", type=int, default=10, help="videos of a list whose seconds count")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    videos, events = read_events(asked.preset, asked.source, **options_of(asked))
    cut = events[EVENT_AT].sort_values().iloc[int((1 - LATER_SHARE) * len(events))]
    early = events[events[EVENT_AT] < cut]
    shown = show_again(events, videos, cut, n=asked.n, seed=asked.seed)
    content, window = content_of(videos), events[EVENT_AT].max() - cut
    settings = RecommendingSettings(
        seed=asked.seed, chosen_on_days=max(window / pd.Timedelta(days=1), 0.01)
    )
    found = Found(shown, asked.n, _facts(events, videos))
    for label in LABELS:
        begin = time.monotonic()
        seconds = ranked_with(label, early, videos, content, cut, shown, settings, n=asked.n)
        found.add(label, seconds, time.monotonic() - begin)
        asked.json.write_text(
            json.dumps(found.to_json(), indent=1, sort_keys=True), encoding="utf-8"
        )
    sys.stdout.write(found.to_text())
    sys.stdout.write(f"{asked.json}\n")
    return 0


def show_again(
    events: pd.DataFrame, videos: pd.DataFrame, cut: pd.Timestamp, *, n: int, seed: int
) -> Shown:
    """What is ranked again.

    Args:
        events: a log with everything that was shown, played or not.
        videos: the catalogue, sorted by video_id.
        cut: what was shown from then on is ranked.
        n: videos of a list; who was shown no more than that is left out, as no order matters.
        seed: of the order within a user.

    Raises:
        InputError: nobody is left.
    """
    seen = events[events[EVENT_TYPE].isin(("play", "impression"))]
    pairs = seen.assign(
        **{WATCHED_S: seen[WATCHED_S].fillna(0.0)},
        first=seen[EVENT_AT],
        later_s=np.where(seen[EVENT_AT] >= cut, seen[WATCHED_S].fillna(0.0), 0.0),
    )
    pairs = pairs.groupby([USER_ID, VIDEO_ID]).agg(first=("first", "min"), s=("later_s", "sum"))
    pairs = pairs[pairs["first"] >= cut].reset_index()
    known = set(events.loc[events[EVENT_AT] < cut, USER_ID])
    pairs = pairs[pairs[USER_ID].isin(known) & pairs[VIDEO_ID].isin(videos[VIDEO_ID])]
    pairs = pairs.iloc[np.random.default_rng(seed).permutation(len(pairs))]
    pairs = pairs.groupby(USER_ID).head(MOST_SHOWN)
    pairs = pairs[pairs.groupby(USER_ID)[VIDEO_ID].transform("size") > n]
    if pairs.empty:
        message = (
            f"labels: none of {events[USER_ID].nunique():,} users was shown more than {n} new "
            f"videos after {cut}; choose a smaller --n, or a longer log"
        )
        raise InputError(message)
    pairs = pairs.sort_values(USER_ID, kind="stable", ignore_index=True)
    codes, users = pd.factorize(pairs[USER_ID])
    return Shown(
        np.array(users, dtype=object),
        codes.astype(np.int64),
        pd.Index(videos[VIDEO_ID]).get_indexer(pairs[VIDEO_ID]).astype(np.int64),
        pairs["s"].to_numpy(np.float64),
    )


def ranked_with(
    label: str,
    early: pd.DataFrame,
    videos: pd.DataFrame,
    content: Content,
    cut: pd.Timestamp,
    shown: Shown,
    settings: RecommendingSettings,
    *,
    n: int,
) -> Doubles:
    """``(n_users,)`` mean seconds watched of the first ``n`` by the models of a label."""
    audience = AudienceSettings.model_validate({"watch_label": label})
    night = (cut + pd.Timedelta(days=1)).date()
    visits = weigh(early, videos, audience, night=night)
    log.info("%s: %.3f of %d visits are liked", label, (visits["weight"] > 0).mean(), len(visits))
    models = fit_models(
        gather(visits), content, settings, cut=int(cut.timestamp()),
        half_life_days=audience.half_life_days,
    )  # fmt: skip
    asked = visits[visits[USER_ID].isin(set(shown.user_ids))]
    return watched_of_first(_scores(models, gather(asked, shown.user_ids), shown), shown, n=n)


def _scores(models: Models, histories: Histories, shown: Shown) -> Doubles:
    """``(n,)`` the score of each showing by the scorer that serves."""
    scores = np.zeros(len(shown.user_nums))
    for users, block in histories.blocks():
        rows = np.flatnonzero(np.isin(shown.user_nums, users))
        own = np.searchsorted(users, shown.user_nums[rows])
        nums, places = pad(own, shown.video_nums[rows], block.n_users)
        found = score(models, block, nums, scorer=models.configuration.scorer)
        scores[rows] = found[own, places]
    return scores


def watched_of_first(scores: Doubles, shown: Shown, *, n: int) -> Doubles:
    """``(n_users,)`` mean seconds watched of the ``n`` showings of the highest score."""
    order = np.lexsort((-scores, shown.user_nums))  # stable: equal scores stay as drawn
    users = shown.user_nums[order]
    starts = np.searchsorted(users, np.arange(len(shown.user_ids)))
    is_first = np.arange(len(users)) - starts[users] < n
    watched = shown.watched_s[order][is_first]
    return np.bincount(users[is_first], watched, len(shown.user_ids)) / n


class Found:
    """What was measured so far.

    Args:
        shown: what was ranked.
        n: videos of a list.
        facts: of the log.
    """

    def __init__(self, shown: Shown, n: int, facts: dict[str, Any]) -> None:
        self._n = n
        self._facts = facts | {"n_users": len(shown.user_ids), "n_shown": len(shown.user_nums)}
        self._per_user: dict[str, Doubles] = {}
        self._seconds: dict[str, float] = {}
        best = watched_of_first(shown.watched_s, shown, n=n)
        counts = np.bincount(shown.user_nums)
        drawn = np.bincount(shown.user_nums, shown.watched_s) / counts
        self._beside = {"best_possible": best, "random_order": drawn}

    def add(self, label: str, per_user: Doubles, seconds: float) -> None:
        """Take in the lists of a label, and the seconds that its fit took."""
        self._per_user[label] = per_user
        self._seconds[label] = seconds
        log.info("%s: %.2f s a listed video, in %.1f s", label, per_user.mean(), seconds)

    def to_json(self) -> dict[str, Any]:
        """``labels``, ``beside``, ``ratios`` to the default, ``better`` and ``figures``."""
        ratios = {
            label: self._ratio(per_user)
            for label, per_user in self._per_user.items()
            if label != DEFAULT and DEFAULT in self._per_user
        }
        is_enough = self._facts["n_users"] >= ENOUGH_USERS
        better = [label for label, ratio in ratios.items() if is_enough and ratio["low"] > 1]
        figures = dict(self._facts)
        if not is_enough:
            figures["claim"] = f"none: {self._facts['n_users']} users are too few"
        return {
            "labels": {
                label: _interval(per_user) | {"seconds": self._seconds[label]}
                for label, per_user in self._per_user.items()
            },
            "beside": {name: _interval(per_user) for name, per_user in self._beside.items()},
            "ratios": ratios,
            "default": DEFAULT,
            "better_than_default": better,
            "figures": figures,
        }

    def to_text(self) -> str:
        """The table, and what it says of the default."""
        found = self.to_json()
        lines = [f"{'':16}{'watched s':>12}{'low':>10}{'high':>10}{'to default':>12}"]
        for name, row in {**found["labels"], **found["beside"]}.items():
            ratio = found["ratios"].get(name)
            compared = ""
            if ratio is not None:
                compared = f"  {ratio['value']:.3f} [{ratio['low']:.3f}, {ratio['high']:.3f}]"
            cells = f"{row['value']:12.3f}{row['low']:10.3f}{row['high']:10.3f}"
            lines.append(f"{name:16}{cells}{compared}")
        figures = found["figures"]
        lines.append(
            f"{figures['n_users']:,} users, {figures['n_shown']:,} videos shown to them, the first "
            f"{self._n} of each list; the duration of {figures['unknown_duration_share']:.3f} of "
            "all plays is unknown"
        )
        lines.append(figures.get("claim", f"better beyond doubt: {found['better_than_default']}"))
        return "\n".join(lines) + "\n"

    def _ratio(self, per_user: Doubles) -> dict[str, float]:
        compared = paired_bootstrap(
            per_user, self._per_user[DEFAULT], n_draws=N_DRAWS, rng=np.random.default_rng(0)
        ).ratio
        return {"value": compared.mean, "low": compared.low, "high": compared.high}


def _interval(per_user: Doubles) -> dict[str, float]:
    found = bootstrap_interval(per_user, n_draws=N_DRAWS, rng=np.random.default_rng(0))
    return {"value": found.mean, "low": found.low, "high": found.high}


def _facts(events: pd.DataFrame, videos: pd.DataFrame) -> dict[str, Any]:
    plays = events[events[EVENT_TYPE] == "play"]
    nums = pd.Index(videos[VIDEO_ID]).get_indexer(plays[VIDEO_ID])
    duration_s = np.where(nums >= 0, videos[DURATION_S].to_numpy(np.float64)[nums], np.nan)
    is_known = duration_s > 0
    return {
        "n_events": len(events),
        "n_plays": len(plays),
        "unknown_duration_share": float(1 - is_known.mean()) if len(plays) else 0.0,
    }


if __name__ == "__main__":
    run(main)

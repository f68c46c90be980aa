"""Rules: who may see what."""

import numpy as np
import pandas as pd

from tests.recommending import worlds
from vidrec_tasks.recommending.lists.rules import (
    UserRules,
    allowed_everywhere,
    allowed_in,
    hidden,
    visible,
)

NIGHT = worlds.NIGHT


def test_inactive_unborn_and_expired_videos_are_not_visible() -> None:
    videos = worlds.catalogue()
    videos.loc[0, "status"] = "blocked"
    videos.loc[1, "published_at"] = NIGHT
    videos["expires_at"] = pd.Series([pd.NaT] * len(videos), dtype="datetime64[us, UTC]")
    videos.loc[2, "expires_at"] = NIGHT
    videos.loc[3, "expires_at"] = NIGHT + pd.Timedelta(seconds=1)
    videos.loc[4, "published_at"] = pd.NaT
    seen = visible(videos, moment=NIGHT)
    assert list(np.flatnonzero(~seen)) == [0, 1, 2]
    said = {rule: list(np.flatnonzero(mask)) for rule, mask in hidden(videos, moment=NIGHT).items()}
    assert said == {
        "it is not active": [0], "it is not published yet": [1], "it has expired": [2],
    }  # fmt: skip


def test_a_region_lets_through_its_own_and_what_is_for_all() -> None:
    regions = [["DE"], ["FR", "DE"], ["FR"]] + [[] for _ in range(worlds.N_VIDEOS - 3)]
    videos = worlds.catalogue(regions=regions)
    assert list(allowed_in(videos, region="DE", max_age_rating=18)[:4]) == [True, True, False, True]
    assert list(allowed_in(videos, region="", max_age_rating=18)[:4]) == [False] * 3 + [True]
    assert allowed_everywhere(videos).sum() == worlds.N_VIDEOS - 3


def test_an_age_rating_is_a_ceiling() -> None:
    videos = worlds.catalogue(age_rating=[0, 12, 16] * 8)
    assert allowed_in(videos, region="", max_age_rating=12).sum() == 16
    assert allowed_everywhere(videos).sum() == 8


def test_each_user_has_the_rules_of_their_row_or_the_default() -> None:
    videos = worlds.catalogue(age_rating=[0, 12, 18] * 8)
    table = worlds.users(child=("DE", 6.0, False), open=("DE", np.nan, False), out=("", 18, True))
    rules = UserRules(videos, table, moment=NIGHT, default_max_age_rating=12)
    assert rules.mask_of("child").sum() == 8
    assert rules.mask_of("open").sum() == 16
    assert rules.mask_of("unknown").sum() == 16
    assert rules.opted_out == {"out"}
    some = rules.eligible(np.array(["child", "unknown", "open", "child"], dtype=object))
    assert some.n_allowed.tolist() == [8, 16, 16, 8]
    assert len(some.cells) == 3
    assert rules.may("child", np.array([0, 1, 3])).tolist() == [True, False, True]

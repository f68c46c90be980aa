"""Attribution: what is cited is what the score came from."""

import numpy as np
import pandas as pd
import pytest

from tests.recommending import worlds
from tests.recommending.one_by_one import falls_one_by_one
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.explaining.attribution import N_ASKED, cite_history, leave_one_out
from vidrec_tasks.recommending.lists import ranker
from vidrec_tasks.recommending.lists.block import Search
from vidrec_tasks.recommending.lists.candidates import find_candidates
from vidrec_tasks.recommending.lists.ranker import rank_candidates
from vidrec_tasks.recommending.lists.scorers.registry import SCORER_NAMES
from vidrec_tasks.recommending.models.models import Models


@pytest.fixture(scope="module")
def models() -> Models:
    return fit()


def lists_of(models: Models) -> pd.DataFrame:
    histories = worlds.histories()
    _, candidates = find_candidates(Search(models), histories, allowed(worlds.N_USERS), SETTINGS)
    ranked = rank_candidates(models, histories, candidates, scorer="blend")
    top = ranked.groupby("user_id").head(3).reset_index(drop=True)
    return top.assign(rank=top.groupby("user_id").cumcount() + 1)


def test_cited_videos_were_watched_and_their_shares_are_parts_of_a_whole(models: Models) -> None:
    histories = worlds.histories()
    lists = cite_history(models, histories, lists_of(models), scorer="blend")
    for user_id, cited in zip(lists["user_id"], lists["cited"], strict=True):
        user = int(user_id[1:])
        seen = {f"v{num:02d}" for num in histories.video_nums[histories.of(user)]}
        assert {video for video, _ in cited} <= seen
        assert sum(share for _, share in cited) <= 1 + 1e-5
        assert [share for _, share in cited] == sorted((s for _, s in cited), reverse=True)
    assert (lists["cited"].map(len) > 0).mean() > 0.9


def asked_of() -> tuple[list[Histories], list[np.ndarray]]:
    """Users, one of whom watched a video twice and one nothing, and what is listed for them."""
    table = worlds.interactions(n_watched=8)
    again = table.head(1).assign(event_at=worlds.NIGHT - pd.Timedelta(minutes=5))
    histories = gather(pd.concat([table, again], ignore_index=True), [*worlds_users(), "stranger"])
    rng = np.random.default_rng(2)
    nums = [rng.permutation(worlds.N_VIDEOS)[: 2 + user % 3] for user in range(histories.n_users)]
    return [histories.one(user) for user in range(histories.n_users)], nums


def worlds_users() -> list[str]:
    return [f"u{num:02d}" for num in range(12)]


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_with_everything_checked_a_fall_is_that_of_the_history_scored_by_itself(
    models: Models, scorer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("N_CHECKED", "N_SCORED"):
        monkeypatch.setattr(ranker, name, N_ASKED)
    users, nums = asked_of()
    found = leave_one_out(models, users, nums, scorer=scorer)
    expected = falls_one_by_one(models, users, nums, scorer=scorer)
    for (videos, falls), (its, theirs) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(videos, its)
        np.testing.assert_allclose(falls, theirs, atol=1e-4)


@pytest.mark.parametrize("scorer", SCORER_NAMES)
def test_what_is_cited_first_is_mostly_what_the_exact_way_cites(
    models: Models, scorer: str
) -> None:
    users, nums = asked_of()
    found = leave_one_out(models, users, nums, scorer=scorer)
    expected = falls_one_by_one(models, users, nums, scorer=scorer)
    lost = []
    for (_, falls), (_, exact) in zip(found, expected, strict=True):
        if falls.size:
            own = np.take_along_axis(exact, falls.argmax(axis=1)[:, None], axis=1)[:, 0]
            lost += [*(exact.max(axis=1) - own)[exact.max(axis=1) > 0]]
    sizes = np.concatenate([exact.max(axis=1) for _, exact in expected if exact.size])
    assert np.sum(lost) < 0.1 * sizes[sizes > 0].sum()


@pytest.mark.parametrize("scorer", ["dot", "blend"])
def test_the_largest_fall_that_is_said_is_no_guess(models: Models, scorer: str) -> None:
    users, nums = asked_of()
    found = leave_one_out(models, users, nums, scorer=scorer)
    expected = falls_one_by_one(models, users, nums, scorer=scorer)
    exact = [
        np.abs(falls - theirs).min(axis=1) < 1e-4
        for (_, falls), (_, theirs) in zip(found, expected, strict=True)
        if falls.size
    ]
    assert np.concatenate(exact).all()


def test_many_users_together_are_told_what_each_is_told_alone(models: Models) -> None:
    lists = lists_of(models)
    histories = worlds.histories()
    together = cite_history(models, histories, lists, scorer="blend")
    for user_id in lists["user_id"].unique()[:7]:
        mine = lists[lists["user_id"] == user_id]
        alone = cite_history(models, histories, mine, scorer="blend")["cited"]
        for one, other in zip(alone, together.loc[mine.index, "cited"], strict=True):
            assert [video for video, _ in one] == [video for video, _ in other]
            mine_alone, mine_together = ([share for _, share in cited] for cited in (one, other))
            np.testing.assert_allclose(mine_alone, mine_together, atol=1e-4)


def test_a_user_without_likes_is_told_of_no_video(models: Models) -> None:
    nobody = worlds.histories(user_ids=["stranger"])
    [(asked, drops)] = leave_one_out(models, [nobody], [np.array([1])], scorer="dot")
    assert len(asked) == 0
    assert drops.shape == (1, 0)

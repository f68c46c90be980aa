"""User tower: it reads the past only, stands on content alone, and learns the same each time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.recommending import worlds
from tests.recommending.test_sequences import all_liked, histories
from vidrec_tasks.audience.histories import Histories, gather
from vidrec_tasks.recommending.models.models import make_tower
from vidrec_tasks.recommending.models.sequences import PAD
from vidrec_tasks.recommending.models.tower import (
    TowerShape,
    UserTower,
    embed_rows,
    embed_users,
    embed_videos,
)
from vidrec_tasks.recommending.training import tower_training
from vidrec_tasks.recommending.training.tower_training import Progress, Schedule, train_tower

SHAPE = TowerShape(dim=16, length=6, n_layers=1)
STILL = replace(SHAPE, dropout=0.0, id_dropout=0.0)
"""Nothing is dropped while training."""
FAST = Schedule(max_epochs=12, learning_rate=0.01)
"""The world is one batch, so an epoch is one step."""


def untrained(
    shape: TowerShape = SHAPE, known: np.ndarray | None = None, seed: int = 0
) -> UserTower:
    everything = np.ones(worlds.N_VIDEOS, dtype=bool)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_tower(worlds.content(), everything if known is None else known, shape)


def trained(
    schedule: Schedule, users: Histories | None = None, shape: TowerShape = SHAPE
) -> tuple[UserTower, Progress]:
    tower = untrained(shape)
    return tower, train_tower(tower, worlds.histories() if users is None else users, schedule)


def test_a_video_is_its_id_and_its_content() -> None:
    known = np.arange(worlds.N_VIDEOS) != 5
    tower = untrained(known=known)
    projected = worlds.content().fused @ tower.projection.weight.detach().numpy().T
    ids = tower.ids.weight.detach().numpy()
    np.testing.assert_allclose(embed_videos(tower)[known], (ids + projected)[known], atol=1e-6)
    np.testing.assert_allclose(embed_videos(tower)[5], projected[5], atol=1e-6)


def test_ids_are_dropped_while_training_only() -> None:
    tower = untrained(replace(SHAPE, id_dropout=1.0))
    tower.train()
    projected = tower.projection(tower.content)
    torch.testing.assert_close(tower.videos(), projected)
    tower.eval()
    assert not torch.allclose(tower.videos(), projected)


def test_a_state_has_read_the_videos_before_it_and_none_after() -> None:
    tower = untrained().eval()
    videos = tower.videos()
    rows = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        states = tower.states(rows, videos)
        other = tower.states(torch.tensor([[1, 2, 9, 8]]), videos)
        shorter = tower.states(rows[:, :2], videos)
    torch.testing.assert_close(states[:, :3], other[:, :3])
    torch.testing.assert_close(states[:, :3], shorter)
    assert (states[:, 3:] - other[:, 3:]).abs().min() > 0


def test_padding_in_front_or_behind_changes_nothing() -> None:
    tower = untrained()
    rows = [[PAD, PAD, 3, 7], [3, 7, PAD, PAD], [PAD, 3, PAD, 7]]
    vectors = embed_rows(tower, np.array(rows))
    bare = embed_rows(tower, np.array([[3, 7]]))
    np.testing.assert_allclose(vectors, np.repeat(bare, 3, axis=0), atol=1e-5)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_a_user_is_the_state_after_the_last_video(n_layers: int) -> None:
    tower = untrained(replace(SHAPE, n_layers=n_layers)).eval()
    rng = np.random.default_rng(n_layers)
    rows = rng.integers(0, 24, (20, SHAPE.length))
    n_read = np.arange(20) % (SHAPE.length + 1)
    rows[np.arange(SHAPE.length) >= n_read[:, None]] = PAD
    with torch.no_grad():
        states = tower.states(torch.from_numpy(rows), tower.videos()).numpy()
    expected = states[np.arange(20), n_read]
    np.testing.assert_allclose(embed_rows(tower, rows), expected, rtol=1e-5, atol=1e-6)
    given = embed_rows(tower, rows, embed_videos(tower))
    np.testing.assert_array_equal(given, embed_rows(tower, rows))


def test_the_order_of_what_was_watched_matters() -> None:
    one, other = embed_rows(untrained(), np.array([[3, 7], [7, 3]]))
    assert np.abs(one - other).max() > 1e-3


def test_a_user_is_the_last_videos_they_liked() -> None:
    tower = untrained()
    rows = [[(num, 1.0) for num in range(10)], [(3, 1.0), (4, -1.0), (5, 1.0)], [(6, -1.0)]]
    expected = embed_rows(tower, np.array([[4, 5, 6, 7, 8, 9], [3, 5] + [PAD] * 4, [PAD] * 6]))
    np.testing.assert_allclose(embed_users(tower, histories(rows)), expected, atol=1e-5)


def test_strangers_are_all_alike_and_not_nowhere() -> None:
    one, other = embed_users(untrained(), all_liked([], []))
    np.testing.assert_array_equal(one, other)
    assert np.isfinite(one).all()


def test_many_users_are_embedded_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrec_tasks.recommending.models.tower._ROWS", 3)
    tower, users = untrained(), worlds.histories()
    together = embed_users(tower, users)
    alone = [embed_users(tower, users.one(num))[0] for num in range(7)]
    np.testing.assert_allclose(together[:7], alone, atol=1e-5)


def test_training_learns_the_taste_and_says_how_it_went() -> None:
    tower, progress = trained(FAST)
    assert (len(progress.losses), progress.scores, progress.best_epoch) == (12, [], 12)
    assert progress.losses[0] > np.log(worlds.N_VIDEOS) - 0.5
    assert progress.losses[-1] < progress.losses[0] - 0.3
    users = worlds.histories()
    scores = embed_users(tower, users) @ embed_videos(tower).T
    first_taste = scores[:, : worlds.N_VIDEOS // 2].mean(axis=1)
    is_first = first_taste > scores[:, worlds.N_VIDEOS // 2 :].mean(axis=1)
    assert (is_first == (np.arange(worlds.N_USERS) % 2 == 0)).all()


def test_a_video_that_nobody_watched_is_placed_by_its_content() -> None:
    table = worlds.interactions()
    unseen = 5
    users = gather(table[table["video_num"] != unseen])
    tower = untrained(known=np.arange(worlds.N_VIDEOS) != unseen)
    train_tower(tower, users, FAST)
    mine = (embed_users(tower, users) @ embed_videos(tower).T)[:, unseen]
    assert mine[::2].mean() > mine[1::2].mean() + 0.5


def test_the_same_seed_learns_the_same_and_leaves_the_worlds_chance_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, _ = trained(Schedule(max_epochs=2))
    assert torch.equal(torch.rand(1), expected)
    again, _ = trained(Schedule(max_epochs=2))
    other, _ = trained(Schedule(max_epochs=2, seed=8))
    np.testing.assert_array_equal(embed_videos(one), embed_videos(again))
    assert np.abs(embed_videos(one) - embed_videos(other)).max() > 1e-4


def test_the_best_measured_weights_are_kept() -> None:
    seen: list[np.ndarray] = []
    scores = iter([0.1, 0.4, 0.2, 0.3, 0.4])

    def measure(tower: UserTower) -> float:
        seen.append(embed_videos(tower))
        return next(scores)

    tower = untrained()
    progress = train_tower(tower, worlds.histories(), Schedule(max_epochs=5), measure=measure)
    assert (progress.best_epoch, progress.scores) == (2, [0.1, 0.4, 0.2, 0.3, 0.4])
    np.testing.assert_array_equal(embed_videos(tower), seen[1])
    assert np.abs(seen[1] - seen[4]).max() > 0


@pytest.mark.parametrize(("patience", "n_epochs"), [(2, 3), (0, 6)])
def test_training_stops_when_it_no_longer_gets_better(patience: int, n_epochs: int) -> None:
    schedule = Schedule(max_epochs=6, patience=patience)
    tower, falling = untrained(), iter(range(9, 0, -1))
    progress = train_tower(
        tower, worlds.histories(), schedule, measure=lambda tower: float(next(falling))
    )
    assert (len(progress.losses), progress.best_epoch) == (n_epochs, 1)


def test_a_trained_tower_drops_nothing_any_more() -> None:
    tower, _ = trained(Schedule(max_epochs=1))
    assert not tower.training


@pytest.mark.parametrize("full_softmax_limit", [1, 50_000])
def test_nothing_to_learn_from_is_no_error(full_softmax_limit: int) -> None:
    schedule = Schedule(max_epochs=2, full_softmax_limit=full_softmax_limit)
    for users in (all_liked(), all_liked([]), histories([[(1, -1.0)]])):
        _, progress = trained(schedule, users)
        assert progress.losses == [0, 0]


def test_who_liked_one_video_is_learned_from_too() -> None:
    _, progress = trained(Schedule(max_epochs=30, learning_rate=0.02), all_liked(*[[4]] * 8), STILL)
    assert progress.losses[-1] < 0.2 < progress.losses[0]


def test_a_sample_that_holds_every_video_is_the_full_softmax() -> None:
    """4,096 draws of 24 videos: each is drawn, the frequent ones are not discounted for it."""
    steep = all_liked(*[[0, 1, 2]] * 20, *[[num, num + 1] for num in range(3, 23)])
    losses = [
        trained(Schedule(max_epochs=1, full_softmax_limit=limit), steep, STILL)[1].losses[0]
        for limit in (1, 50_000)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)


def test_a_sampled_softmax_learns_the_taste_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tower_training, "_N_SAMPLED", 8)
    tower, _ = trained(replace(FAST, full_softmax_limit=1))
    scores = embed_users(tower, worlds.histories()) @ embed_videos(tower).T
    gap = scores[:, :12].mean(axis=1) - scores[:, 12:].mean(axis=1)
    assert (gap[::2] > 0).all()
    assert (gap[1::2] < 0).all()


def test_one_video_alone_can_be_sampled() -> None:
    _, progress = trained(Schedule(max_epochs=1, full_softmax_limit=0), all_liked([3], [3]))
    assert np.isfinite(progress.losses).all()


def test_some_videos_are_what_all_of_them_say() -> None:
    tower, nums = untrained(known=np.arange(worlds.N_VIDEOS) != 5).eval(), torch.tensor([2, 5, 9])
    some = tower.some_videos(nums, tower.ids.weight[nums])
    torch.testing.assert_close(some, tower.videos()[nums])


def test_a_sampled_step_moves_the_videos_of_its_batch_and_sample_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tower_training, "_N_SAMPLED", 2)
    tower, users = untrained(), all_liked([0, 1, 2], [1, 2, 3])
    before = tower.ids.weight.detach().clone()
    train_tower(tower, users, Schedule(max_epochs=3, full_softmax_limit=1))
    moved = (tower.ids.weight.detach() != before).any(dim=1).numpy()
    assert moved[:4].all()
    assert not moved[4:].any()


def test_a_sample_of_every_video_moves_them_as_the_full_softmax_does() -> None:
    towers = [
        trained(Schedule(max_epochs=1, full_softmax_limit=limit, weight_decay=0.0), shape=STILL)[0]
        for limit in (1, 50_000)
    ]
    sampled, full = (embed_videos(tower) for tower in towers)
    start = embed_videos(untrained(STILL))
    assert np.abs(full - start).max() > 1e-3
    # of one step: Adam divides a gradient by its own size, so only the signs of small ones differ
    is_clear = np.abs(full - start) > 1e-3
    assert (np.sign(sampled - start) == np.sign(full - start))[is_clear].mean() > 0.95


def test_a_few_known_videos_of_a_large_catalogue_are_all_asked_among_and_no_other_is_moved() -> (
    None
):
    known = np.arange(worlds.N_VIDEOS) < 6
    users = all_liked(*[[0, 1, 2]] * 10, [3, 4], [4, 5])
    ends = []
    for limit in (worlds.N_VIDEOS, 6):  # a small catalogue; a large one of few known videos
        tower = untrained(STILL, known=known)
        before = tower.ids.weight.detach().clone()
        schedule = Schedule(max_epochs=3, full_softmax_limit=limit, weight_decay=0.0)
        progress = train_tower(tower, users, schedule)
        moved = (tower.ids.weight.detach() != before).any(dim=1).numpy()
        ends.append((progress.losses, embed_videos(tower)))
        assert moved[:6].all()
        assert not moved[6:].any()
    np.testing.assert_allclose(ends[1][0], ends[0][0], rtol=1e-4)
    np.testing.assert_allclose(ends[1][1][:6], ends[0][1][:6], atol=1e-3)

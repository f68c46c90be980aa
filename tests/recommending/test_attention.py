"""Target attention: it adds to the tower what the history says, and leaves the tower as it is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommending import worlds
from tests.recommending.test_sequences import all_liked, histories
from tests.recommending.test_tower import FAST, untrained
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.attention import TargetAttention, attend
from vidrec_tasks.recommending.models.sequences import PAD, last_videos
from vidrec_tasks.recommending.models.tower import UserTower, embed_users, embed_videos
from vidrec_tasks.recommending.training.attention_training import AttentionSchedule, train_attention
from vidrec_tasks.recommending.training.guesses import Guesses
from vidrec_tasks.recommending.training.held_out import Asked, ndcg_of_targets
from vidrec_tasks.recommending.training.tower_training import train_tower

DIM = 16
VIDEOS = np.random.default_rng(0).normal(size=(9, DIM)).astype(np.float32)


def model(seed: int = 0) -> TargetAttention:
    """One that has something to add."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = TargetAttention(DIM)
        torch.nn.init.normal_(found.places)
        torch.nn.init.normal_(found.value.weight, std=0.1)
        return found


def ask(row: list[int], nums: list[int]) -> np.ndarray:
    return attend(model(), np.array([row]), VIDEOS, np.array([nums]))


def parts_of(row: list[int], nums: list[int]) -> np.ndarray:
    vectors = torch.from_numpy(VIDEOS)
    with torch.no_grad():
        found = (
            model()
            .eval()
            .parts(
                vectors[None, row], torch.ones(1, len(row), dtype=torch.bool), vectors[None, nums]
            )
        )
    return found.numpy()


def test_what_is_added_is_the_sum_over_the_history() -> None:
    found, parts = ask([1, 2, 3], [4, 5]), parts_of([1, 2, 3], [4, 5])
    assert (found.shape, found.dtype, parts.shape) == ((1, 2), np.float32, (1, 2, 3))
    np.testing.assert_allclose(found, parts.sum(axis=-1), atol=1e-5)
    assert np.abs(parts).min() > 0


def test_an_untrained_one_adds_nothing() -> None:
    fresh = TargetAttention(DIM)
    assert fresh.is_idle
    assert not model().is_idle
    assert not attend(fresh, np.array([[1, 2]]), VIDEOS, np.array([[4, 5]])).any()


def test_what_is_padded_changes_no_score() -> None:
    bare, padded = ask([2, 3], [4, 5]), ask([PAD, PAD, PAD, 2, 3], [4, 5])
    np.testing.assert_allclose(padded, bare, atol=1e-5)


def test_without_history_nothing_is_added() -> None:
    assert not ask([PAD, PAD], [4, 5]).any()


def test_a_candidate_is_scored_alike_whoever_stands_beside_it() -> None:
    together, alone = ask([1, 2], [4, 5, 6]), ask([1, 2], [5])
    np.testing.assert_allclose(together[:, [1]], alone, atol=1e-5)


def test_candidates_ask_the_history_each_in_its_own_way() -> None:
    parts = parts_of([1, 2, 3], [4, 5])[0]
    assert np.abs(parts[0] / parts[1] - 1).max() > 0.1


def test_the_newest_stands_last_and_the_order_counts() -> None:
    one, other = ask([1, 2, 3], [4]), ask([3, 2, 1], [4])
    assert np.abs(one - other).max() > 1e-3


def test_what_lies_far_back_is_not_asked() -> None:
    recent = [1, 2, 3] * 17  # one more than is asked
    np.testing.assert_array_equal(ask([8, *recent[-50:]], [4]), ask(recent[-50:], [4]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-1, 8), min_size=1, max_size=60),
    st.lists(st.integers(-1, 8), min_size=1, max_size=4),
)
def test_any_history_and_candidates_give_finite_numbers(row: list[int], nums: list[int]) -> None:
    assert np.isfinite(ask(row, nums)).all()


@pytest.fixture(scope="module")
def tower() -> UserTower:
    found = untrained()
    train_tower(found, worlds.histories(), FAST)
    return found


def weights(of: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in of.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def loss(attention: TargetAttention, tower: UserTower, users: Histories) -> float:
    """Mean cross-entropy of each user's last liked video, given those before it."""
    rows = last_videos(users, 6)
    targets, history = rows[:, -1], rows[:, :-1]
    before = users.where(np.arange(users.n_events) != (users.offsets[1:] - 1)[users.user_nums()])
    nums = np.tile(np.arange(worlds.N_VIDEOS), (len(rows), 1))
    videos = embed_videos(tower)
    scores = embed_users(tower, before) @ videos.T + attend(attention, history, videos, nums)
    logits = torch.from_numpy(scores)
    return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets)))


@pytest.mark.parametrize("knows_time", [False, True])
def test_training_adds_what_a_tower_lacks_and_leaves_it_as_it_is(knows_time: bool) -> None:
    attention, users = TargetAttention(DIM), worlds.histories()
    tower = untrained()
    train_tower(tower, users, replace(FAST, max_epochs=2))
    kept, before = weights(tower), loss(attention, tower, users)
    schedule = AttentionSchedule(max_epochs=10, learning_rate=0.02)
    assert train_attention(attention, tower, users, schedule, knows_time=knows_time) == 10
    assert loss(attention, tower, users) < before - 0.05
    assert same(weights(tower), kept)
    assert not attention.training


def test_what_is_no_better_than_the_tower_alone_is_not_kept(tower: UserTower) -> None:
    attention, scores = TargetAttention(DIM), iter([0.5, 0.4, 0.5])
    schedule = AttentionSchedule(max_epochs=5, patience=2)
    epoch = train_attention(
        attention, tower, worlds.histories(), schedule, measure=lambda _: next(scores)
    )
    assert (epoch, attention.is_idle) == (0, True)


def test_guesses_are_ordered_by_the_tower_until_the_attention_speaks(tower: UserTower) -> None:
    users = worlds.histories()
    rows = last_videos(users, 1)[:, 0]
    before = users.where(np.arange(users.n_events) != (users.offsets[1:] - 1)[users.user_nums()])
    asked = Asked(before, [rows[num : num + 1] for num in range(users.n_users)], before)
    guesses = Guesses.of(tower, asked, 0.0)
    scores = embed_users(tower, before) @ embed_videos(tower).T
    expected = ndcg_of_targets(scores, asked).mean()
    assert guesses.ndcg(TargetAttention(DIM)) == pytest.approx(expected)
    loud = model()
    torch.nn.init.normal_(loud.value.weight, std=100.0)
    assert guesses.ndcg(loud) < expected


def test_the_same_seed_learns_the_same(tower: UserTower) -> None:
    found = [model(), model(), model()]
    for attention, seed in zip(found, (7, 7, 8), strict=True):
        schedule = AttentionSchedule(max_epochs=1, seed=seed)
        train_attention(attention, tower, worlds.histories(), schedule)
    assert same(weights(found[0]), weights(found[1]))
    assert not same(weights(found[0]), weights(found[2]))


def test_the_best_measured_weights_are_kept(tower: UserTower) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    scores = iter([0.05, 0.1, 0.4, 0.3, 0.2, 0.9])

    def measure(attention: TargetAttention) -> float:
        seen.append(weights(attention))
        return next(scores)

    attention = model()
    schedule = AttentionSchedule(max_epochs=5, patience=2)
    epoch = train_attention(attention, tower, worlds.histories(), schedule, measure=measure)
    assert (epoch, len(seen)) == (2, 5)
    assert same(weights(attention), seen[2])
    assert not same(seen[2], seen[4])


@pytest.mark.parametrize("users", [all_liked(), all_liked([], [3]), histories([[(1, -1.0)] * 3])])
def test_nothing_to_learn_from_changes_nothing(tower: UserTower, users: Histories) -> None:
    attention = model()
    train_attention(attention, tower, users, AttentionSchedule(max_epochs=2))
    assert same(weights(attention), weights(model()))


def test_what_was_not_liked_is_neither_asked_for_nor_read(tower: UserTower) -> None:
    liked = [[(num, 1.0) for num in (1, 2, 3)], [(4, 1.0), (5, 1.0)]]
    noisy = [[(9, -1.0), *liked[0], (8, -1.0)], [liked[1][0], (7, 0.0), liked[1][1]]]
    found = [model(), model()]
    for attention, rows in zip(found, (liked, noisy), strict=True):
        train_attention(attention, tower, histories(rows), AttentionSchedule(max_epochs=1))
    assert same(weights(found[0]), weights(found[1]))

"""Target attention: scores are sums of exact shares, and training leaves the tower as it is."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recommending import worlds
from tests.recommending.test_sequences import all_liked, histories
from tests.recommending.test_tower import FAST, untrained
from vidrec_tasks.audience.histories import Histories
from vidrec_tasks.recommending.models.attention import Attended, TargetAttention, attend
from vidrec_tasks.recommending.models.sequences import PAD, last_videos
from vidrec_tasks.recommending.models.tower import UserTower, embed_users, embed_videos
from vidrec_tasks.recommending.training.attention_training import AttentionSchedule, train_attention
from vidrec_tasks.recommending.training.tower_training import train_tower

DIM = 16
VIDEOS = np.random.default_rng(0).normal(size=(9, DIM)).astype(np.float32)
USER = np.random.default_rng(1).normal(size=(1, DIM)).astype(np.float32)


def model(seed: int = 0) -> TargetAttention:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = TargetAttention(DIM)
        torch.nn.init.normal_(found.places)
        return found


def ask(row: list[int], nums: list[int], users: np.ndarray = USER) -> Attended:
    return attend(model(), users, np.array([row]), VIDEOS, np.array([nums]))


def test_scores_have_a_place_for_each_candidate_and_shares_for_each_video_watched() -> None:
    found = ask([1, 2, 3], [4, 5])
    assert (found.scores.shape, found.shares.shape) == ((1, 2), (1, 2, 3))
    assert (found.scores.dtype, found.shares.dtype) == (np.float32, np.float32)


def test_the_shares_and_the_users_own_make_the_score() -> None:
    attention = model().eval()
    with torch.no_grad():
        vectors = torch.from_numpy(VIDEOS)
        parts = attention.parts(
            torch.from_numpy(USER), vectors[None, [1, 2, 3]], torch.ones(1, 3, dtype=torch.bool),
            vectors[None, [4, 5]],
        )  # fmt: skip
    found = ask([1, 2, 3], [4, 5])
    np.testing.assert_allclose(found.scores, parts.sum(dim=-1), atol=1e-5)
    np.testing.assert_allclose(found.shares, parts[..., 1:], atol=1e-6)
    assert np.abs(found.shares).min() > 0


def test_what_is_padded_has_no_share_and_changes_no_score() -> None:
    bare, padded = ask([2, 3], [4, 5]), ask([PAD, PAD, PAD, 2, 3], [4, 5])
    np.testing.assert_allclose(padded.scores, bare.scores, atol=1e-5)
    np.testing.assert_allclose(padded.shares[..., 3:], bare.shares, atol=1e-5)
    assert not padded.shares[..., :3].any()


def test_without_history_the_user_vector_alone_is_compared() -> None:
    found = ask([PAD, PAD], [4, 5])
    # the user's own value starts as the vector itself, so this is the plain product
    np.testing.assert_allclose(found.scores, USER @ VIDEOS[[4, 5]].T, atol=1e-4)
    assert not found.shares.any()


def test_a_candidate_is_scored_alike_whoever_stands_beside_it() -> None:
    together, alone = ask([1, 2], [4, 5, 6]), ask([1, 2], [5])
    np.testing.assert_allclose(together.scores[:, [1]], alone.scores, atol=1e-5)


def test_candidates_ask_the_history_each_in_its_own_way() -> None:
    shares = ask([1, 2, 3], [4, 5]).shares[0]
    assert np.abs(shares[0] / shares[1] - 1).max() > 0.1


def test_the_newest_stands_last_and_the_order_counts() -> None:
    one, other = ask([1, 2, 3], [4]).scores, ask([3, 2, 1], [4]).scores
    assert np.abs(one - other).max() > 1e-3


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(-1, 8), min_size=1, max_size=60),
    st.lists(st.integers(-1, 8), min_size=1, max_size=4),
)
def test_any_history_and_candidates_give_finite_numbers(row: list[int], nums: list[int]) -> None:
    found = ask(row, nums)
    assert np.isfinite(found.scores).all()
    assert not found.shares[:, :, np.array(row) == PAD].any()


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
    scores = attend(attention, embed_users(tower, before), history, embed_videos(tower), nums)
    logits = torch.from_numpy(scores.scores)
    return float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets)))


def test_training_learns_and_leaves_the_tower_as_it_is(tower: UserTower) -> None:
    attention, kept = model(), weights(tower)
    before = loss(attention, tower, worlds.histories())
    schedule = AttentionSchedule(max_epochs=6, learning_rate=0.01)
    assert train_attention(attention, tower, worlds.histories(), schedule) == 6
    assert loss(attention, tower, worlds.histories()) < before - 0.2
    assert same(weights(tower), kept)
    assert not attention.training


def test_the_same_seed_learns_the_same(tower: UserTower) -> None:
    found = [model(), model(), model()]
    for attention, seed in zip(found, (7, 7, 8), strict=True):
        schedule = AttentionSchedule(max_epochs=1, seed=seed)
        train_attention(attention, tower, worlds.histories(), schedule)
    assert same(weights(found[0]), weights(found[1]))
    assert not same(weights(found[0]), weights(found[2]))


def test_the_best_measured_weights_are_kept(tower: UserTower) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    scores = iter([0.1, 0.4, 0.3, 0.2, 0.9])

    def measure(attention: TargetAttention) -> float:
        seen.append(weights(attention))
        return next(scores)

    attention = model()
    schedule = AttentionSchedule(max_epochs=5, patience=2)
    epoch = train_attention(attention, tower, worlds.histories(), schedule, measure=measure)
    assert (epoch, len(seen)) == (2, 4)
    assert same(weights(attention), seen[1])
    assert not same(seen[1], seen[3])


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

"""Draws: who is in, whatever the order and the number of parts that users come in."""

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.jobs.shared.visits import Draw
from vidrec_tasks.store.shards import stable_hash

USERS = [f"u{number}" for number in range(400)]


def rows_of(users: list[str]) -> pd.DataFrame:
    """Two rows a user."""
    return pd.DataFrame({"user_id": [user for user in users for _ in range(2)]})


def drawn(draw: Draw) -> list[str]:
    rows = draw.rows()
    assert (rows.groupby("user_id").size() == 2).all(), "all rows of a user, or none"
    return sorted(rows["user_id"].unique())


def test_the_smallest_hashes_are_drawn() -> None:
    draw = Draw(30)
    draw.add(rows_of(USERS))
    assert drawn(draw) == sorted(sorted(USERS, key=stable_hash)[:30])


@pytest.mark.parametrize("n_parts", [2, 7, 400])
def test_neither_parts_nor_their_order_decide(n_parts: int) -> None:
    whole, parted = Draw(30, salt="a:"), Draw(30, salt="a:")
    whole.add(rows_of(USERS))
    rng = np.random.default_rng(n_parts)
    for part in np.array_split(rng.permutation(USERS), n_parts):
        parted.add(rows_of(part.tolist()))
    assert drawn(parted) == drawn(whole)
    assert len(drawn(whole)) == 30


def test_memory_holds_little_more_than_what_is_wanted() -> None:
    draw = Draw(10)
    for user in USERS:
        draw.add(rows_of([user]))
        assert sum(map(len, draw._parts)) <= 2 * 13  # two rows of 1.25 times 10 users


def test_where_there_is_room_everybody_is_drawn() -> None:
    draw = Draw(400)
    draw.add(rows_of(USERS[:150]))
    draw.add(rows_of(USERS[150:]))
    assert drawn(draw) == sorted(USERS)


def test_salts_make_draws_independent() -> None:
    plain, salted = Draw(100), Draw(100, salt="learn:")
    for draw in (plain, salted):
        draw.add(rows_of(USERS))
    common = set(drawn(plain)) & set(drawn(salted))
    assert 10 <= len(common) <= 40  # by chance 25 of 100


def test_nobody_can_be_drawn_from_nobody() -> None:
    draw = Draw(10)
    draw.add(rows_of([]).astype({"user_id": "str"}))
    assert drawn(draw) == []

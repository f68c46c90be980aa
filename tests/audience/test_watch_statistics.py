"""Watch statistics: counts that add up over shards, and the place of a viewing among its like."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrec_tasks.audience.watch_statistics import (
    N_BINS,
    N_LEVELS,
    count_visits,
    duration_bins,
    merge_statistics,
    quantiles,
    rating_scale,
    seconds_quantiles,
    share_levels,
)

NAN = float("nan")


def visits(*rows: tuple[float, float, float], watched_s: float = NAN) -> pd.DataFrame:
    """``(duration_s, watched_share, value)``."""
    names = ["duration_s", "watched_share", "value"]
    return pd.DataFrame(rows, columns=names, dtype="float64").assign(watched_s=watched_s)


def test_visits_are_counted_by_length_and_share_and_ratings_by_value() -> None:
    table = count_visits(visits((1, 0.5, NAN), (1, 0.52, 4), (2, 1, NAN), (NAN, NAN, 4.04)))
    assert list(table.itertuples(index=False, name=None)) == [
        ("rating", 0, 4.0, 2),
        ("watch", 0, 10.0, 2),
        ("watch", 2, 20.0, 1),
    ]


def test_visits_of_unknown_length_or_share_say_nothing_of_watching() -> None:
    assert count_visits(visits((NAN, 0.5, NAN), (60, NAN, NAN))).empty


def test_seconds_are_counted_where_no_length_is_known() -> None:
    table = count_visits(visits((NAN, NAN, NAN), (60, 0.5, NAN), watched_s=30))
    assert list(table.itertuples(index=False, name=None)) == [
        ("seconds", 0, 10.0, 2),
        ("watch", 12, 10.0, 1),
    ]


def test_seconds_beat_those_of_fewer_and_half_of_their_equals() -> None:
    lengths = ((1.0, 2), (60.0, 1), (3600.0, 1))
    parts = [count_visits(visits(*[(NAN, NAN, NAN)] * n, watched_s=s)) for s, n in lengths]
    table = seconds_quantiles(merge_statistics(parts))
    asked = duration_bins(np.array([0.0, 1.0, 5.0, 60.0, 3600.0, 1e6]))
    assert table[asked].tolist() == [0.25, 0.25, 0.5, 0.625, 0.875, 1.0]
    assert set(seconds_quantiles(count_visits(visits()))) == {0.5}


@pytest.mark.parametrize(
    ("duration_s", "number"),
    [(0.2, 0), (1, 0), (2, 2), (60, 12), (3600, 24), (46_341, 31), (1e9, 31)],
)
def test_a_duration_bin_is_half_an_octave(duration_s: float, number: int) -> None:
    assert duration_bins(np.array([duration_s])).tolist() == [number]


def test_share_levels_are_twentieths_and_only_the_whole_is_the_last() -> None:
    shares = np.array([0.0, 0.049, 0.05, 0.15, 0.999, 1.0])
    assert share_levels(shares).tolist() == [0, 0, 1, 3, 19, 20]
    assert share_levels(np.arange(21) / 20).tolist() == list(range(21))


parts = st.lists(
    st.lists(
        st.tuples(
            st.floats(1, 90_000), st.floats(0, 1), st.sampled_from([NAN, 1.0, 3.5, 5.0])
        ),
        max_size=6,
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(parts)
def test_statistics_of_shards_add_up_to_those_of_all(
    shards: list[list[tuple[float, float, float]]],
) -> None:
    counted = [count_visits(visits(*shard)) for shard in shards]
    together = count_visits(visits(*[row for shard in shards for row in shard]))
    pd.testing.assert_frame_equal(merge_statistics(counted), together)
    pd.testing.assert_frame_equal(merge_statistics(counted[::-1]), together)


@settings(max_examples=20, deadline=None)
@given(parts)
def test_who_watches_more_never_beats_fewer(
    shards: list[list[tuple[float, float, float]]],
) -> None:
    table = quantiles(count_visits(visits(*[row for shard in shards for row in shard])))
    assert table.shape == (N_BINS, N_LEVELS)
    assert ((table >= 0) & (table <= 1)).all()
    assert (np.diff(table, axis=1) >= -1e-12).all()


def test_without_any_viewing_every_viewing_is_in_the_middle() -> None:
    assert (quantiles(count_visits(visits())) == 0.5).all()


def test_a_viewing_beats_those_below_and_half_of_its_equals() -> None:
    table = quantiles(count_visits(visits((60, 0.2, NAN), (60, 0.5, NAN), (60, 0.5, NAN),
                                          (60, 0.9, NAN))))  # fmt: skip
    own = table[duration_bins(np.array([60.0]))[0]]
    np.testing.assert_allclose(own[[0, 4, 7, 10, 15, 18, 20]], [0, 1 / 8, 1 / 4, 1 / 2, 3 / 4,
                                                                7 / 8, 1])  # fmt: skip


def test_a_bin_without_viewings_takes_its_neighbours() -> None:
    table = quantiles(count_visits(visits((60, 0.2, NAN), (60, 0.8, NAN))))
    np.testing.assert_allclose(table[13], table[12])


def test_a_bin_of_twenty_viewings_is_half_its_own() -> None:
    own, beside = [(60, 0.2, NAN)] * 20, [(85, 0.8, NAN)] * 1000
    table = quantiles(count_visits(visits(*own, *beside)))
    # of 40 viewings 20 are its own, all below half, and 20 are lent, all above
    assert table[12, 10] == pytest.approx(0.5)


def test_a_bin_of_many_viewings_hardly_listens_to_its_neighbours() -> None:
    own, beside = [(60, 0.2, NAN)] * 1980, [(85, 0.8, NAN)] * 1000
    table = quantiles(count_visits(visits(*own, *beside)))
    assert table[12, 10] == pytest.approx(1980 / 2000)


def test_the_scale_of_ratings_is_their_mean_and_spread() -> None:
    table = count_visits(visits(*[(NAN, NAN, value) for value in (1, 3, 3, 5)]))
    assert rating_scale(table) == (3.0, pytest.approx(2**0.5))


def test_without_ratings_the_scale_is_nought() -> None:
    assert rating_scale(count_visits(visits((60, 1, NAN)))) == (0.0, 0.0)

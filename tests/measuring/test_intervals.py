import math

import numpy as np
import pandas as pd
import pytest

from vidrec_tasks.measuring.intervals import bootstrap_interval, paired_bootstrap, summarise


def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def test_the_interval_is_that_of_the_normal_law_for_many_users() -> None:
    values = np.random.default_rng(1).normal(5, 2, size=4_000)
    mean, low, high = bootstrap_interval(values, n_draws=1_000, rng=rng())
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.15 * half)


def test_it_covers_the_truth_about_as_often_as_it_says() -> None:
    worlds = np.random.default_rng(2).exponential(1.0, size=(200, 60))
    draws = rng()
    covered = 0
    for values in worlds:
        _, low, high = bootstrap_interval(values, n_draws=200, rng=draws, level=0.9)
        covered += low <= 1.0 <= high
    assert 0.8 < covered / len(worlds) < 0.97


def test_the_same_rng_gives_the_same_interval() -> None:
    values = np.arange(50.0)
    first = bootstrap_interval(values, n_draws=100, rng=rng())
    assert first == bootstrap_interval(values, n_draws=100, rng=rng())


def test_values_that_are_all_equal_have_no_width() -> None:
    assert bootstrap_interval([0.25] * 9, n_draws=50, rng=rng()) == pytest.approx((0.25,) * 3)


def test_no_values_give_no_number() -> None:
    assert all(math.isnan(number) for number in bootstrap_interval([], n_draws=50, rng=rng()))


def test_pairs_see_a_small_gain_that_single_intervals_would_miss() -> None:
    b = np.random.default_rng(3).random(300)
    a = b * 1.02
    alone_a = bootstrap_interval(a, n_draws=500, rng=rng())
    alone_b = bootstrap_interval(b, n_draws=500, rng=rng())
    assert alone_a.low < alone_b.high  # apart, nothing can be said
    difference, ratio = paired_bootstrap(a, b, n_draws=500, rng=rng())
    assert difference.low > 0
    assert ratio == pytest.approx((1.02, 1.02, 1.02))


def test_two_systems_that_never_hit_are_equal() -> None:
    _, ratio = paired_bootstrap([0.0, 0.0], [0.0, 0.0], n_draws=50, rng=rng())
    assert ratio == (1.0, 1.0, 1.0)


def test_against_a_system_that_never_hits_the_ratio_is_infinite_not_unknown() -> None:
    a = [1.0] + [0.0] * 9
    _, ratio = paired_bootstrap(a, [0.0] * 10, n_draws=200, rng=rng())
    assert ratio.mean == ratio.high == math.inf
    assert ratio.low == 1.0  # draws without the one hit


def test_pairs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="same shape"):
        paired_bootstrap([1.0], [1.0, 2.0], n_draws=50, rng=rng())


def test_a_summary_holds_every_metric_with_its_users() -> None:
    per_user = pd.DataFrame({"user_num": [4, 9], "n_relevant": [1, 2], "hr@10": [0.0, 1.0]})
    summary = summarise(per_user, n_draws=50, rng=rng())
    assert set(summary) == {"hr@10"}
    assert summary["hr@10"]["mean"] == 0.5
    assert summary["hr@10"]["n_users"] == 2
    assert summary["hr@10"]["low"] <= 0.5 <= summary["hr@10"]["high"]
    assert summarise(per_user.iloc[:0], n_draws=50, rng=rng()) == {}

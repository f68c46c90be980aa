"""What every scorer keeps; a scorer that is added to the registry is tested by this."""

import json
from dataclasses import replace

import numpy as np
import pytest

from vidrec_tasks.errors import ModelError
from vidrec_tasks.recommending.lists.features import NAMES
from vidrec_tasks.recommending.lists.scorers.registry import SCORERS, scorer_named
from vidrec_tasks.recommending.lists.scorers.scorer import Examples, Learned, Scorer
from vidrec_tasks.settings import RecommendingSettings

N_USERS, N_CANDIDATES = 120, 12


@pytest.fixture(scope="module")
def examples() -> Examples:
    """The watched video stands out in every feature, so that any scorer can learn it."""
    rng = np.random.default_rng(5)
    shape = (N_USERS, N_CANDIDATES, len(NAMES))
    features = rng.normal(size=shape).astype(np.float32)
    places = rng.integers(0, N_CANDIDATES, N_USERS)
    features[np.arange(N_USERS), places] += 1.0
    is_real = np.ones(shape[:2], dtype=bool)
    is_real[: N_USERS // 2, -1] = places[: N_USERS // 2] == N_CANDIDATES - 1
    relevant = np.arange(N_CANDIDATES) == places[:, None]
    every = np.ones(shape[:2], dtype=bool)
    nums = np.broadcast_to(np.arange(N_CANDIDATES), shape[:2])
    return Examples(features, relevant, is_real, every, np.ones(N_USERS, dtype=np.int64), nums)


def test_names_are_different_and_those_of_the_setting() -> None:
    names = [scorer.name for scorer in SCORERS]
    assert len(set(names)) == len(names)
    offered = RecommendingSettings.model_fields["scorer"].annotation.__args__  # type: ignore[union-attr]
    assert set(offered) == {"auto", *names}


def test_a_scorer_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="scorer 'best': there is none of that name, only dot"):
        scorer_named("best")


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: scorer.name)
class TestEveryScorer:
    def learned(self, scorer: Scorer, examples: Examples) -> list[Learned]:
        """What it learns, and what stands in for it."""
        return [scorer.learn(examples), scorer.usual]

    def test_the_parts_are_named_and_finite(self, scorer: Scorer, examples: Examples) -> None:
        for learned in self.learned(scorer, examples):
            parts = scorer.parts(examples.features, learned)
            assert parts.values.shape == (N_USERS, N_CANDIDATES, len(parts.names))
            assert parts.values.dtype == np.float64
            assert np.isfinite(parts.values).all()
            assert len(set(parts.names)) == len(parts.names) > 0

    def test_the_parts_sum_to_the_score(self, scorer: Scorer, examples: Examples) -> None:
        for learned in self.learned(scorer, examples):
            sums = scorer.parts(examples.features, learned).values.sum(axis=-1)
            np.testing.assert_allclose(sums, scorer.scores(examples.features, learned), atol=1e-9)

    def test_what_is_watched_scores_above_the_mean(
        self, scorer: Scorer, examples: Examples
    ) -> None:
        scores = scorer.scores(examples.features, scorer.learn(examples))
        own = scores[examples.relevant]
        assert (own > scores.mean(axis=1)).mean() > 0.7

    def test_it_reads_only_the_features_that_it_wants(
        self, scorer: Scorer, examples: Examples
    ) -> None:
        for learned in self.learned(scorer, examples):
            wanted = scorer.wanted(learned)
            assert set(wanted) <= set(NAMES)
            blind = examples.features * np.isin(NAMES, wanted)
            whole = scorer.parts(examples.features, learned)
            np.testing.assert_array_equal(scorer.parts(blind, learned).values, whole.values)

    def test_a_candidate_scores_alike_in_any_company(
        self, scorer: Scorer, examples: Examples
    ) -> None:
        learned = scorer.learn(examples)
        whole = scorer.parts(examples.features, learned).values
        some = scorer.parts(examples.features[3:9, 2:5], learned).values
        np.testing.assert_array_equal(some, whole[3:9, 2:5])

    def test_what_it_learns_is_json_and_the_same_again(
        self, scorer: Scorer, examples: Examples
    ) -> None:
        learned = scorer.learn(examples)
        kept = json.loads(json.dumps(learned))
        assert json.loads(json.dumps(scorer.learn(examples))) == kept
        before = scorer.parts(examples.features, learned).values
        np.testing.assert_array_equal(scorer.parts(examples.features, kept).values, before)

    def test_padding_teaches_nothing(self, scorer: Scorer, examples: Examples) -> None:
        features = examples.features.copy()
        features[~examples.is_real] = 1e6
        loud = replace(examples, features=features)
        assert scorer.learn(loud) == scorer.learn(examples)

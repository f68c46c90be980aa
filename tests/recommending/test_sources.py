"""What every candidate source keeps; a source that is added to the registry is tested by this."""

import numpy as np
import pytest

from tests.recommending import worlds
from tests.recommending.test_models import SETTINGS, allowed, fit
from vidrec_tasks.recommending.lists.block import AskingBlock, Search
from vidrec_tasks.recommending.lists.eligibility import Eligible
from vidrec_tasks.recommending.lists.features import FEATURES
from vidrec_tasks.recommending.lists.sources.registry import SOURCES
from vidrec_tasks.recommending.lists.sources.source import Source
from vidrec_tasks.recommending.models.models import Models
from vidrec_tasks.recommending.reason_codes import REASON_CODES

FEW = SETTINGS.model_copy(update={"n_per_source": 4, "fresh_days": 400.0, "n_exploration": 2})


@pytest.fixture(scope="module")
def models() -> Models:
    histories = worlds.histories()
    return fit(histories.where(~np.isin(histories.video_nums, (11, 23))))


def asked(models: Models, *, may: np.ndarray | None = None):
    histories = worlds.histories()
    eligible = allowed(worlds.N_USERS)
    if may is not None:
        eligible = Eligible.of_masks(may, np.arange(worlds.N_USERS))
    return AskingBlock(
        models=models, histories=histories, search=Search(models), eligible=eligible, settings=FEW
    )


def test_names_are_different() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
class TestEverySource:
    def test_it_brings_at_most_what_is_asked_for_best_first(
        self, source: Source, models: Models
    ) -> None:
        scores, nums = source.find(asked(models))
        assert scores.shape == nums.shape
        assert scores.shape[0] == worlds.N_USERS
        assert scores.shape[1] <= 2 * FEW.n_per_source
        assert (nums >= 0).any()
        assert (nums < worlds.N_VIDEOS).all()
        real = nums >= 0
        falling = np.diff(np.where(real, scores, -np.inf), axis=1)
        assert (falling[real[:, 1:]] <= 0).all()

    def test_no_video_comes_twice(self, source: Source, models: Models) -> None:
        _, nums = source.find(asked(models))
        for row in nums:
            found = row[row >= 0]
            assert len(set(found.tolist())) == len(found)

    def test_what_is_forbidden_is_not_found(self, source: Source, models: Models) -> None:
        _, free = source.find(asked(models))
        may = np.ones((worlds.N_USERS, worlds.N_VIDEOS), dtype=bool)
        may[np.arange(worlds.N_USERS), np.maximum(free[:, 0], 0)] = False
        _, nums = source.find(asked(models, may=may))
        users, places = np.nonzero(nums >= 0)
        assert may[users, nums[users, places]].all()

    def test_it_finds_the_same_again(self, source: Source, models: Models) -> None:
        for once, again in zip(source.find(asked(models)), source.find(asked(models)), strict=True):
            np.testing.assert_array_equal(once, again)

    def test_the_world_is_not_changed_by_asking(self, source: Source, models: Models) -> None:
        block = asked(models)
        before = (
            block.eligible.cells.copy(),
            block.histories.weights.copy(),
            models.video_vectors.copy(),
        )
        source.find(block)
        after = (block.eligible.cells, block.histories.weights, models.video_vectors)
        for was, now in zip(before, after, strict=True):
            np.testing.assert_array_equal(was, now)

    def test_its_reasons_exist_and_are_those_of_the_feature_of_its_name(
        self, source: Source, models: Models
    ) -> None:
        assert source.speaks_for
        assert set(source.speaks_for) <= set(REASON_CODES)
        for feature in FEATURES:
            if feature.name == source.name:
                assert feature.speaks_for == source.speaks_for

"""The registry, and the modalities in it, each of which passes the suite."""

from tests.content.modality_suite import ModalitySuite, models
from vidrec_tasks.content.modalities.frames import FRAME
from vidrec_tasks.content.modalities.passages import SAYS, WRITES
from vidrec_tasks.content.modalities.registry import MODALITIES, PARTS, in_words
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.contracts import artefacts

__all__ = ["models"]


class TestText(ModalitySuite):
    modality = TEXT


class TestFrame(ModalitySuite):
    modality = FRAME


class TestSaid(ModalitySuite):
    modality = SAYS


class TestWritten(ModalitySuite):
    modality = WRITES


def test_every_modality_passes_the_suite() -> None:
    tested = {suite.modality.name for suite in ModalitySuite.__subclasses__()}
    assert tested == {modality.name for modality in MODALITIES}


def test_artefacts_hold_what_the_registry_names() -> None:
    assert tuple(modality.name for modality in MODALITIES) == artefacts.MODALITIES


def test_no_two_modalities_are_called_alike() -> None:
    assert len({modality.name for modality in MODALITIES}) == len(MODALITIES)
    assert len(set(PARTS.values())) == len(PARTS)


def test_moments_have_an_artefact_of_their_own() -> None:
    for modality in MODALITIES:
        if modality.moments:
            assert artefacts.columns_of(modality.moments)[0] == "video_id"


def test_what_matched_is_told_in_the_words_that_readers_know() -> None:
    assert list(PARTS.values()) == ["title", "seen", "said", "written"]
    assert in_words(["text"]) == "title"
    assert in_words(["text", "frame", "said"]) == "title+seen+said"

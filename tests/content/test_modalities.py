"""The registry, and the modalities in it, each of which passes the suite."""

from tests.content.modality_suite import ModalitySuite, models
from vidrec_tasks.content.modalities.frames import FRAME
from vidrec_tasks.content.modalities.registry import MODALITIES, all_words, in_words
from vidrec_tasks.content.modalities.texts import TEXT
from vidrec_tasks.contracts import artefacts

__all__ = ["models"]


class TestText(ModalitySuite):
    modality = TEXT


class TestFrame(ModalitySuite):
    modality = FRAME


def test_every_modality_passes_the_suite() -> None:
    tested = {suite.modality.name for suite in ModalitySuite.__subclasses__()}
    assert tested == {modality.name for modality in MODALITIES}


def test_artefacts_hold_what_the_registry_names() -> None:
    assert tuple(modality.name for modality in MODALITIES) == artefacts.MODALITIES


def test_no_two_modalities_are_called_alike() -> None:
    assert len({modality.name for modality in MODALITIES}) == len(MODALITIES)
    assert len(set(all_words())) == len(all_words())


def test_moments_have_an_artefact_of_their_own() -> None:
    for modality in MODALITIES:
        if modality.moments:
            assert artefacts.columns_of(modality.moments)[0] == "video_id"


def test_text_and_frames_are_called_as_readers_know_them() -> None:
    assert [in_words(["text"]), in_words(["frame"])] == ["text", "frame"]
    assert in_words(["text", "frame"]) == "both"
    assert all_words()[:2] == ["text", "frame"]
    assert "both" in all_words()

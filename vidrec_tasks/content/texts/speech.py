"""Speech: what is said in a film, by a Whisper of CTranslate2 behind voice activity detection.

Whisper writes words over music, applause and silence too (Koenecke et al., "Careless Whisper",
2024); `kept` says which segments are believed.
"""

import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vidrec_tasks.content.texts.passages import Cue, flat, without_sounds

Floats = npt.NDArray[np.float32]

log = logging.getLogger(__name__)

RATE: Final = 16_000
"""Samples a second that Whisper hears."""

MAX_NO_SPEECH: Final = 0.6
MIN_LOG_PROBABILITY: Final = -0.8
MAX_COMPRESSION: Final = 2.4
"""Whisper's own bounds (Radford et al., 2022), but for the mean log probability: there -1."""

WORDS_A_SECOND: Final = (0.4, 8.0)
"""Fewer words than people say in a second, or more, are none."""

MIN_WORDS: Final = 5
"""Words of a film below which nothing is believed to be said."""

LONG_WORDS: Final = 4
"""Words that a segment has which may be said twice in a film."""

MIN_LANGUAGE: Final = 0.5
"""Probability of the language below which it is not speech that the model knows."""

SILENCE: Final = 1e-3
"""Loudest sample below which nothing is heard: the model is not asked."""


@dataclass(frozen=True)
class Segment:
    """What Whisper wrote of a stretch of sound."""

    at_s: float
    until_s: float
    text: str
    no_speech: float
    log_probability: float
    compression: float

    @property
    def n_words(self) -> int:
        """Words, or signs where a language writes without blanks."""
        return n_words(self.text)

    @property
    def is_believed(self) -> bool:
        """Whether the model itself takes it for speech, at a pace at which people speak."""
        pace = self.n_words / max(self.until_s - self.at_s, 0.25)
        return (
            self.no_speech <= MAX_NO_SPEECH
            and self.log_probability >= MIN_LOG_PROBABILITY
            and self.compression <= MAX_COMPRESSION
            and WORDS_A_SECOND[0] <= pace <= WORDS_A_SECOND[1]
        )

    @property
    def confidence(self) -> float:
        """Mean probability of its tokens."""
        return math.exp(min(self.log_probability, 0.0)) * (1 - self.no_speech)


def n_words(text: str) -> int:
    """Words, or signs of a script that is written without blanks."""
    return len(
        re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’][^\W_]+)*", text)
    )


def kept(segments: Iterable[Segment]) -> list[Cue]:
    """The segments of a film that are believed, as cues; none where they are too few to be speech.

    What is short and comes twice is what Whisper writes where nothing is said ("Thank you.").
    """
    believed = [segment for segment in segments if segment.is_believed]
    often = Counter(_bare(segment.text) for segment in believed)
    believed = [
        segment
        for segment in believed
        if segment.n_words >= LONG_WORDS or often[_bare(segment.text)] == 1
    ]
    believed = _without_echo(believed)
    if sum(segment.n_words for segment in believed) < MIN_WORDS:
        return []
    cues = [
        Cue(round(s.at_s, 2), round(s.until_s, 2), without_sounds(s.text), round(s.confidence, 3))
        for s in believed
    ]
    return [cue for cue in cues if cue.text]


def _without_echo(segments: Sequence[Segment]) -> list[Segment]:
    """Without segments that say what the one before said."""
    return [
        segment
        for before, segment in zip([None, *segments], segments, strict=False)
        if before is None or _bare(before.text) != _bare(segment.text)
    ]


def _bare(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.casefold()).strip()


class SpeechModel:
    """A Whisper in CTranslate2's format.

    Args:
        folder: with ``config.json`` and ``model.bin``.
        n_threads: of the processor.
        language: what is spoken; '' where the model may find out.
    """

    def __init__(self, folder: str, *, n_threads: int = 1, language: str = "") -> None:
        self._model = _on_gpu(folder) or _loaded(folder, "cpu", "int8", n_threads)
        self._language = language or ("" if self._model.model.is_multilingual else "en")

    def warm_up(self) -> None:
        """Run everything once, so that what is loaded late is there before limits are set."""
        self.hear(np.zeros(8_000, np.float32))
        noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
        list(self._model.transcribe(noise, language="en", beam_size=1, temperature=0.0)[0])

    def hear(self, samples: Floats, at_s: float = 0.0) -> tuple[list[Segment], str]:
        """What is said.

        Args:
            samples: ``(n,)`` at 16,000 a second, -1 to 1.
            at_s: the second of the film at which they begin.

        Returns:
            The segments, and the language; '' where it is not clear which one is spoken.
        """
        if not len(samples) or float(np.abs(samples).max()) < SILENCE:
            return [], self._language
        segments, info = self._model.transcribe(
            samples,
            language=self._language or None,
            beam_size=1,
            temperature=0.0,
            vad_filter=True,
            condition_on_previous_text=False,
        )
        if not self._language and info.language_probability < MIN_LANGUAGE:
            return [], ""
        found = [
            Segment(
                at_s + float(part.start), at_s + float(part.end), flat(part.text),
                float(part.no_speech_prob), float(part.avg_logprob), float(part.compression_ratio),
            )
            for part in segments
        ]  # fmt: skip
        return found, self._language or str(info.language)


def _on_gpu(folder: str) -> Any:
    """The model on a GPU; None without one, or where the libraries that it needs are missing."""
    import ctranslate2

    if ctranslate2.get_cuda_device_count() == 0:
        return None
    try:
        model = _loaded(folder, "cuda", "float16", 1)
        list(model.transcribe(np.zeros(RATE, np.float32), language="en", beam_size=1)[0])
    except RuntimeError as error:
        log.warning("speech is heard on the processor: the GPU cannot (%s)", error)
        return None
    return model


def _loaded(folder: str, device: str, compute_type: str, n_threads: int) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        folder, device=device, compute_type=compute_type, cpu_threads=n_threads,
        local_files_only=True,
    )  # fmt: skip

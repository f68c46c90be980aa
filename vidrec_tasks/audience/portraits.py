"""Portraits: one sentence about each user, written by a generator and published only if true.

The generator is asked once, once more in constrained words, and then the template stands in. A
portrait whose evidence, prompt and model are unchanged is taken from before and costs nothing.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from vidrec_tasks.audience.portrait_evidence import MIN_NAMES, PortraitEvidence, gather_evidence
from vidrec_tasks.audience.portrait_wording import (
    PROMPT_VERSION,
    UNKNOWN,
    constrained_prompt,
    first_prompt,
    template_portrait,
)
from vidrec_tasks.columns import (
    AS_OF,
    BEHAVIOUR,
    EVIDENCE,
    EVIDENCE_KEY,
    N_INTERACTIONS,
    PORTRAIT,
    PORTRAIT_SOURCE,
    TOPICS,
    USER_ID,
)
from vidrec_tasks.language.generator import Generator, Prompt
from vidrec_tasks.language.grounding import Grounding, is_grounded, sentence_shape
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

MODEL = "model"
TEMPLATE = "template"


@dataclass
class _Draft:
    """One user's portrait in the making."""

    user_id: str
    n_interactions: int
    evidence: PortraitEvidence
    key: str = ""
    portrait: str = ""
    source: str = ""


def write_portraits(
    profiles: pd.DataFrame,
    generator: Generator,
    settings: LanguageSettings,
    *,
    night: date,
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Write one portrait a user from facts before the night.

    Args:
        profiles: `Profiles.table`: user_id, n_interactions, behaviour, topics.
        generator: asked for those whose evidence changed, most active users first.
        settings: `max_sentences` bounds the users for whom the generator is asked.
        night: the portraits are as of its beginning, 00:00 UTC.
        known: earlier portraits (portrait, portrait_source, evidence_key), taken again as they are.

    Returns:
        user_id, portrait, portrait_source ('model' or 'template'), as_of, evidence (dict),
        evidence_key; in the order of the profiles.
    """
    drafts = _draft(profiles)
    n_known = _recall(drafts, known, identity=generator.identity)
    asked = _within_budget(drafts, settings.max_sentences)
    for draft in asked:
        draft.key = _key(draft.evidence, generator.identity)
    _ask_once(asked, generator, first_prompt)
    _ask_once([draft for draft in asked if not draft.portrait], generator, constrained_prompt)
    _fill_with_templates(drafts)
    n_model = sum(draft.source == MODEL for draft in drafts)
    log.info(
        "%d of %d portraits by the model; %d known, %d asked for, %d by template",
        n_model, len(drafts), n_known, len(asked), len(drafts) - n_model,
    )  # fmt: skip
    return _table(drafts, night)


def check_portrait(portrait: str, evidence: PortraitEvidence) -> Grounding:
    """Whether a portrait is grounded and names two of the three strongest topics, or all there are.

    The sentence that says that nothing is known holds for a user without videos or topics.
    """
    if portrait == UNKNOWN:
        nothing = not evidence.n_videos and not evidence.topics
        return Grounding(nothing, "" if nothing else "something is known")
    n_names = min(MIN_NAMES, len(evidence.names))
    return is_grounded(portrait, evidence.phrases(), names=evidence.names, min_names=n_names)


def count_portraits(portraits: pd.DataFrame, profiles: pd.DataFrame) -> dict[str, int]:
    """What the published portraits are worth: who wrote them, how many are grounded, how varied.

    Args:
        portraits: what `write_portraits` returned.
        profiles: what it was given, in the same order; the evidence is gathered from it anew.

    Returns:
        n_portraits, n_with_topic (users the model may be asked about), n_by_model, n_grounded,
        n_shapes (different `sentence_shape`).
    """
    evidences = [draft.evidence for draft in _draft(profiles)]
    pairs = list(zip(portraits[PORTRAIT], evidences, strict=True))
    return {
        "n_portraits": len(pairs),
        "n_with_topic": sum(bool(evidence.topics) for evidence in evidences),
        "n_by_model": int(portraits[PORTRAIT_SOURCE].eq(MODEL).sum()),
        "n_grounded": sum(check_portrait(text, e).ok for text, e in pairs),
        "n_shapes": len({sentence_shape(text, [*e.phrases(), *e.names]) for text, e in pairs}),
    }


def _draft(profiles: pd.DataFrame) -> list[_Draft]:
    columns = (profiles[name] for name in (USER_ID, N_INTERACTIONS, TOPICS, BEHAVIOUR))
    return [
        _Draft(str(user_id), int(n), gather_evidence(topics, behaviour))
        for user_id, n, topics, behaviour in zip(*columns, strict=True)
    ]


def _key(evidence: PortraitEvidence, writer: str) -> str:
    return evidence.key(version=f"{PROMPT_VERSION}|{writer}")


def _recall(drafts: Sequence[_Draft], known: pd.DataFrame | None, *, identity: str) -> int:
    """Take what is known; returns how many were."""
    if known is None or known.empty:
        return 0
    found = known.drop_duplicates(EVIDENCE_KEY).set_index(EVIDENCE_KEY)
    earlier: Mapping[str, tuple[str, str]] = dict(
        zip(found.index, zip(found[PORTRAIT], found[PORTRAIT_SOURCE], strict=True), strict=True)
    )
    for draft in drafts:
        key = _key(draft.evidence, identity)
        if key in earlier:
            draft.key, (draft.portrait, draft.source) = key, earlier[key]
    return sum(bool(draft.portrait) for draft in drafts)


def _within_budget(drafts: Sequence[_Draft], max_sentences: int) -> list[_Draft]:
    """Who is written about by the generator: new evidence with a topic, most active first."""
    waiting = [draft for draft in drafts if not draft.portrait and draft.evidence.topics]
    return sorted(waiting, key=lambda d: (-d.n_interactions, d.user_id))[:max_sentences]


def _ask_once(
    drafts: Sequence[_Draft],
    generator: Generator,
    prompt: Callable[[PortraitEvidence], Prompt],
) -> None:
    if not drafts:
        return
    sentences = generator.complete([prompt(draft.evidence) for draft in drafts])
    for draft, sentence in zip(drafts, sentences, strict=True):
        verdict = check_portrait(sentence, draft.evidence)
        if verdict.ok:
            draft.portrait, draft.source = sentence, MODEL
        else:
            log.debug("portrait not published: %s", verdict.reason)


def _fill_with_templates(drafts: Sequence[_Draft]) -> None:
    """The rest; who was not asked gets the template's own key, so a later night may ask."""
    for draft in drafts:
        draft.key = draft.key or _key(draft.evidence, TEMPLATE)
        if not draft.portrait:
            draft.portrait, draft.source = template_portrait(draft.evidence), TEMPLATE


def _table(drafts: Sequence[_Draft], night: date) -> pd.DataFrame:
    as_of = pd.Series([pd.Timestamp(night, tz="UTC")] * len(drafts), dtype="datetime64[us, UTC]")
    return pd.DataFrame(
        {
            USER_ID: pd.Series([draft.user_id for draft in drafts], dtype="str"),
            PORTRAIT: pd.Series([draft.portrait for draft in drafts], dtype="str"),
            PORTRAIT_SOURCE: pd.Series([draft.source for draft in drafts], dtype="str"),
            AS_OF: as_of,
            EVIDENCE: pd.Series([d.evidence.as_dict() for d in drafts], dtype=object),
            EVIDENCE_KEY: pd.Series([draft.key for draft in drafts], dtype="str"),
        }
    )

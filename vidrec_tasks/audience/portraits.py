"""Portraits: what a user watches in two or three sentences, each published only if it is true.

A generator is asked where it may be, a template stands in where its sentences fail, and a checker
that neither knows judges every sentence of both. A portrait whose facts, wording and model are
unchanged is taken from before and costs nothing but the gathering of its facts.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

import pandas as pd

from vidrec_tasks.audience import portrait_facts as kinds
from vidrec_tasks.audience.portrait_facts import Fact
from vidrec_tasks.audience.portrait_plan import Sentence
from vidrec_tasks.audience.portrait_prompts import (
    SECTIONS,
    Answer,
    free_prompt,
    planned_prompt,
    read_free,
    read_planned,
)
from vidrec_tasks.audience.portrait_structure import structure_of
from vidrec_tasks.audience.portrait_wording import (
    WORDING_VERSION,
    fact_sentence,
    gap_of,
    template_sentences,
)
from vidrec_tasks.columns import (
    AS_OF,
    CLAIMS,
    DROPPED,
    EVIDENCE,
    EVIDENCE_KEY,
    N_INTERACTIONS,
    PORTRAIT,
    PORTRAIT_SOURCE,
    STRUCTURE,
    USER_ID,
)
from vidrec_tasks.language.generator import Generator, unanswered_of
from vidrec_tasks.language.quoting import quote
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

MODEL: Final = "model"
TEMPLATE: Final = "template"
ENOUGH: Final = 4
"""Facts that a portrait states before it is left as the model wrote it."""
MAX_SENTENCES: Final = 4
DROPPED_LIMIT: Final = 240
"""Characters of a refused sentence that are kept."""
KNOWN_COLUMNS: Final = (
    PORTRAIT, PORTRAIT_SOURCE, EVIDENCE_KEY, EVIDENCE, CLAIMS, STRUCTURE, DROPPED,
)  # fmt: skip
"""What of an earlier portrait is taken again."""

Records = Sequence[Mapping[str, Any]]
Judge = Callable[[str, str, Records], tuple[str, int, int]]
"""User, sentence, the facts it names -> what is wrong ('' nothing), claims made, true ones."""


@dataclass
class _Draft:
    """One user's portrait in the making.

    Attributes:
        gathered: the facts as they were gathered; the key is of these.
        facts: those of them that the checker recomputed.
        sentences: each with who wrote it.
    """

    user_id: str
    n_interactions: int
    gathered: tuple[Fact, ...]
    facts: tuple[Fact, ...] = ()
    key: str = ""
    sentences: list[tuple[Sentence, str]] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    known: Mapping[Any, Any] | None = None


def write_portraits(
    users: pd.DataFrame,
    facts: Sequence[tuple[Fact, ...]],
    generator: Generator,
    settings: LanguageSettings,
    judge: Judge,
    *,
    night: date,
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Write one portrait a user from facts before the night.

    Args:
        users: user_id, n_interactions.
        facts: of each user, as `portrait_gathering.gather_facts` numbers them.
        generator: asked for those whose facts changed, most active users first.
        settings: `max_sentences` bounds the users for whom the generator is asked.
        judge: says whether a sentence is true; it knows nothing of who wrote it.
        night: the portraits are as of its beginning, 00:00 UTC.
        known: earlier portraits with the columns in `KNOWN_COLUMNS`, taken again as they are.

    Returns:
        user_id, portrait, portrait_source ('model' where it wrote most of the sentences, else
        'template'), as_of, evidence (the facts, each with its sentence), evidence_key, claims
        (a sentence each: text, facts, source), structure, dropped (text, facts, reason); in the
        order of the users.
    """
    rows = zip(users[USER_ID], users[N_INTERACTIONS], facts, strict=True)
    drafts = [_Draft(str(user_id), int(n), own) for user_id, n, own in rows]
    n_known = _recall(drafts, known, generator.identity, settings)
    new = [draft for draft in drafts if draft.known is None]
    for draft in new:
        _keep_true_facts(draft, judge, settings)
    asked = _within_budget(new, settings.max_sentences)
    _ask(asked, generator, settings, judge)
    for draft in new:
        draft.key = draft.key or _key(draft, TEMPLATE, settings)
        _complete(draft, judge, settings)
        _order(draft)
    table = _table(drafts, night, settings)
    n_model = int(table[PORTRAIT_SOURCE].eq(MODEL).sum())
    log.info(
        "%d of %d portraits by the model; %d known, %d asked for, %d by template",
        n_model, len(drafts), n_known, len(asked), len(drafts) - n_model,
    )  # fmt: skip
    return table


def facts_in(evidence: Records) -> tuple[Fact, ...]:
    """The facts of a row's evidence."""
    return tuple(Fact.from_dict(record) for record in evidence)


def stated_in(claims: Records) -> set[int]:
    """Numbers of the facts that the sentences of a portrait state."""
    return {int(number) for claim in claims for number in claim["facts"]}


def _recall(
    drafts: Sequence[_Draft], known: pd.DataFrame | None, identity: str, settings: LanguageSettings
) -> int:
    """Take portraits by key: the model's while it is asked at all, the template's where not."""
    if known is None or known.empty:
        return 0
    earlier = {str(row[EVIDENCE_KEY]): row for row in known.to_dict("records")}
    for draft in drafts:
        draft.known = earlier.get(_key(draft, identity, settings))
    missing = [draft for draft in drafts if draft.known is None]
    left = {draft.user_id for draft in _within_budget(missing, settings.max_sentences)}
    for draft in missing:
        if draft.user_id not in left:  # the generator will not be asked for this one
            draft.known = earlier.get(_key(draft, TEMPLATE, settings))
    return sum(draft.known is not None for draft in drafts)


def _key(draft: _Draft, identity: str, settings: LanguageSettings) -> str:
    """Hash (hex) of the facts, the wording and who would write from them."""
    records = [fact.as_dict() for fact in draft.gathered]
    what = [records, WORDING_VERSION, settings.portrait_language, identity]
    text = json.dumps(what, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _keep_true_facts(draft: _Draft, judge: Judge, settings: LanguageSettings) -> None:
    """A fact whose own sentence the checker refuses reaches neither a writer nor the table."""
    kept = []
    for fact in draft.gathered:
        sentence = fact_sentence(fact, language=settings.portrait_language)
        reason, _, _ = judge(draft.user_id, sentence, [fact.as_dict()])
        if reason:
            _drop(draft, Sentence(sentence, (fact.number,)), reason)
        else:
            kept.append(fact)
    draft.facts = tuple(kept)


def _within_budget(drafts: Iterable[_Draft], max_sentences: int) -> list[_Draft]:
    """Who is written about by the generator: those with a topic, most active first."""
    waiting = [
        draft for draft in drafts
        if any(fact.kind == kinds.TOPIC for fact in draft.facts or draft.gathered)
    ]  # fmt: skip
    return sorted(waiting, key=lambda d: (-d.n_interactions, d.user_id))[:max_sentences]


def _ask(
    drafts: Sequence[_Draft], generator: Generator, settings: LanguageSettings, judge: Judge
) -> None:
    """The embedded model words a plan, any other writes freely; the judge is the same."""
    if not drafts:
        return
    language, is_planned = settings.portrait_language, writes_plans(settings)
    prompt = planned_prompt if is_planned else free_prompt
    prompts = [prompt(draft.facts, language=language) for draft in drafts]
    answers = generator.complete(prompts)
    unanswered = unanswered_of(generator)
    for draft, asked, text in zip(drafts, prompts, answers, strict=True):
        if asked in unanswered:
            continue  # the template stands in, under its own key: a later night asks again
        draft.key = _key(draft, generator.identity, settings)
        answer = (
            read_planned(text, draft.facts, language=language)
            if is_planned
            else read_free(text, draft.facts)
        )
        _take(draft, answer, judge)
        if not is_planned:
            draft.sentences = [(_narrowed(draft, one, judge), by) for one, by in draft.sentences]


def writes_plans(settings: LanguageSettings) -> bool:
    """Whether the model is too small to write freely: then it words what was planned for it."""
    return settings.is_embedded


def _take(draft: _Draft, answer: Answer, judge: Judge) -> None:
    draft.dropped += [
        {"text": text, "facts": list(numbers), "reason": reason}
        for text, numbers, reason in answer.dropped
    ]
    for sentence in answer.sentences:
        if _is_true(draft, sentence, judge):
            draft.sentences.append((sentence, MODEL))


def _complete(draft: _Draft, judge: Judge, settings: LanguageSettings) -> None:
    """Add the template's sentences on what is not said yet, until enough is."""
    for sentence in template_sentences(draft.facts, language=settings.portrait_language):
        said = {number for one, _ in draft.sentences for number in one.facts}
        is_enough = len(said) >= ENOUGH or len(draft.sentences) >= MAX_SENTENCES
        if is_enough and any(writer == MODEL for _, writer in draft.sentences):
            return
        if said.isdisjoint(sentence.facts) and _is_true(draft, sentence, judge):
            draft.sentences.append((sentence, TEMPLATE))


def _order(draft: _Draft) -> None:
    """What is watched first, then changes, habits and titles, whoever wrote each."""
    place = {kind: num for num, stated in enumerate(SECTIONS.values()) for kind in stated}
    of_fact = {fact.number: place.get(fact.kind, 0) for fact in draft.facts}
    draft.sentences.sort(key=lambda one: min((of_fact[n] for n in one[0].facts), default=0))


def _is_true(draft: _Draft, sentence: Sentence, judge: Judge) -> bool:
    by_number = {fact.number: fact.as_dict() for fact in draft.facts}
    reason, _, _ = judge(draft.user_id, sentence.text, [by_number[num] for num in sentence.facts])
    if reason:
        _drop(draft, sentence, reason)
    return not reason


def _narrowed(draft: _Draft, sentence: Sentence, judge: Judge) -> Sentence:
    """A true sentence with those of its facts without which it would not hold.

    A model names more than it states, and what is named goes into the portrait's vector.
    """
    by_number = {fact.number: fact.as_dict() for fact in draft.facts}
    kept = list(sentence.facts)
    for number in reversed(sentence.facts):
        fewer = [one for one in kept if one != number]
        if fewer and not judge(draft.user_id, sentence.text, [by_number[n] for n in fewer])[0]:
            kept = fewer
    return replace(sentence, facts=tuple(kept))


def _drop(draft: _Draft, sentence: Sentence, reason: str) -> None:
    text = quote(sentence.text, DROPPED_LIMIT)
    draft.dropped.append({"text": text, "facts": list(sentence.facts), "reason": reason})


def _table(drafts: Sequence[_Draft], night: date, settings: LanguageSettings) -> pd.DataFrame:
    rows = [_known_row(d.known) if d.known is not None else _row(d, settings) for d in drafts]
    as_of = pd.Series([pd.Timestamp(night, tz="UTC")] * len(drafts), dtype="datetime64[us, UTC]")
    texts = {
        name: pd.Series([row[name] for row in rows], dtype="str")
        for name in (PORTRAIT, PORTRAIT_SOURCE, EVIDENCE_KEY)
    }
    nested = {
        name: pd.Series([row[name] for row in rows], dtype=object)
        for name in (EVIDENCE, CLAIMS, STRUCTURE, DROPPED)
    }
    return pd.DataFrame(
        {
            USER_ID: pd.Series([draft.user_id for draft in drafts], dtype="str"),
            **texts,
            AS_OF: as_of,
            **nested,
        }
    )


def _known_row(known: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: known[name] for name in KNOWN_COLUMNS}


def _row(draft: _Draft, settings: LanguageSettings) -> dict[str, Any]:
    language = settings.portrait_language
    n_model = sum(writer == MODEL for _, writer in draft.sentences)
    is_models = 2 * n_model > len(draft.sentences)
    return {
        PORTRAIT: gap_of(language).join(sentence.text for sentence, _ in draft.sentences),
        PORTRAIT_SOURCE: MODEL if is_models else TEMPLATE,
        EVIDENCE_KEY: draft.key,
        EVIDENCE: [
            {**fact.as_dict(), "text": fact_sentence(fact, language=language)}
            for fact in draft.facts
        ],
        CLAIMS: [
            {"text": sentence.text, "facts": list(sentence.facts), "source": writer}
            for sentence, writer in draft.sentences
        ],
        STRUCTURE: structure_of(draft.facts),
        DROPPED: draft.dropped,
    }

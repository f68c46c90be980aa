"""Summaries: a paragraph a creator; what a generator writes is published only if it is true."""

import logging

import pandas as pd

from vidrec_tasks.columns import CREATOR_ID, N_VIEWERS, SUMMARY, SUMMARY_SOURCE
from vidrec_tasks.insights.wording import (
    Facts,
    check_summary,
    gather_facts,
    paragraph,
    prompt_of,
    template_summary,
)
from vidrec_tasks.language.generator import Generator
from vidrec_tasks.settings import LanguageSettings

log = logging.getLogger(__name__)

MODEL = "model"
TEMPLATE = "template"


def write_summaries(
    insights: pd.DataFrame, generator: Generator, settings: LanguageSettings
) -> pd.DataFrame:
    """Summarise the rows of each creator in a paragraph.

    Args:
        insights: what `demand.measure_demand` returned.
        generator: asked once for each creator; the template stands in where what it says is not
            grounded in the published numbers.
        settings: `max_sentences` bounds whom it is asked for, those of most viewers first.

    Returns:
        creator_id, summary, summary_source ('model' or 'template').
    """
    facts = {str(creator): gather_facts(rows) for creator, rows in insights.groupby(CREATOR_ID)}
    written = _ask(facts, insights, generator, settings)
    log.info("%d of %d summaries by the model", len(written), len(facts))
    summaries = [written.get(creator) or template_summary(fact) for creator, fact in facts.items()]
    sources = [MODEL if creator in written else TEMPLATE for creator in facts]
    return pd.DataFrame(
        {
            CREATOR_ID: pd.Series(list(facts), dtype="str"),
            SUMMARY: pd.Series(summaries, dtype="str"),
            SUMMARY_SOURCE: pd.Series(sources, dtype="str"),
        }
    )


def _ask(
    facts: dict[str, Facts],
    insights: pd.DataFrame,
    generator: Generator,
    settings: LanguageSettings,
) -> dict[str, str]:
    """Creator -> paragraph, where the generator wrote a first sentence that is grounded."""
    largest = insights.groupby(CREATOR_ID)[N_VIEWERS].max()
    askable = [creator for creator, fact in facts.items() if fact.topics]
    asked = sorted(askable, key=lambda c: (-int(largest[c]), c))[: settings.max_sentences]
    if not asked:
        return {}
    sentences = generator.complete([prompt_of(facts[creator]) for creator in asked])
    written = {}
    for creator, sentence in zip(asked, sentences, strict=True):
        summary = paragraph(sentence, facts[creator])
        verdict = check_summary(summary, facts[creator])
        if verdict.ok:
            written[creator] = summary
        else:
            log.debug("summary not published: %s", verdict.reason)
    return written

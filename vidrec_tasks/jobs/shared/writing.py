"""Writing: the language model of a job, what its answers depend on, and what it cost."""

from typing import Any

from vidrec_tasks.language.generator import LazyGenerator
from vidrec_tasks.running.job import Context
from vidrec_tasks.store.batches import Batches, answers_stamp


def writer_of(context: Context, name: str) -> LazyGenerator:
    """The generator that the settings name.

    Args:
        context: of the job.
        name: of the artefact that is written, with its shard: batch files are kept under it.
    """
    return LazyGenerator(
        context.settings.language,
        cache=context.store.cache("models"),
        mailbox=Batches(context.store, context.night, name),
    )


def answers_state(context: Context) -> Any:
    """What a job that writes depends on beside its inputs: files of answers, if it reads any."""
    is_batch = context.settings.language.writer == "batch"
    return answers_stamp(context.store) if is_batch else None


def count_writing(writer: LazyGenerator, context: Context) -> dict[str, int | float]:
    """What was asked, read, written, dropped (by reason), left unanswered, and what it cost."""
    usage = writer.usage
    cost = context.settings.language.cost(usage.tokens_in, usage.tokens_out)
    return {
        "prompts": usage.n_asked,
        "tokens_in": usage.tokens_in,
        "tokens_out": usage.tokens_out,
        "seconds_asking": round(usage.seconds, 1),
        "cost": round(cost, 6),
        "unanswered": len(usage.unanswered),
        **{f"dropped: {reason}": n for reason, n in sorted(usage.dropped.items())},
    }

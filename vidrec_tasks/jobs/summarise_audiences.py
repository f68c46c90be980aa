"""summarise_audiences: what each creator's audience wants, without telling of any one user."""

from vidrec_tasks.columns import (
    CREATOR_ID,
    SUMMARY_SOURCE,
    TOPICS,
    USER_ID,
    VIDEO_NUM,
    WATCHED_SHARE,
)
from vidrec_tasks.insights.crowd import Offer
from vidrec_tasks.insights.insights import summarise_audiences as summarise
from vidrec_tasks.insights.summaries import MODEL, write_summaries
from vidrec_tasks.jobs.shared.reading import moment_of, read_topics
from vidrec_tasks.jobs.shared.visits import watched_by_shard
from vidrec_tasks.jobs.shared.writing import answers_state, count_writing, writer_of
from vidrec_tasks.recommending.lists.rules import visible
from vidrec_tasks.running.job import Context, Made, job, shards_of


@job(state=answers_state)
def summarise_audiences(context: Context) -> Made:
    """Measure audiences in numbers that k users stand behind, and put them in words."""
    videos = context.read_table("videos")
    offer = Offer.of(videos, read_topics(context), visible(videos, moment=moment_of(context.night)))
    found = summarise(
        lambda: watched_by_shard(context, (USER_ID, VIDEO_NUM, WATCHED_SHARE)),
        (
            context.read_rows(name, columns=(USER_ID, TOPICS))
            for name in shards_of(context.run, "profiles")
        ),
        videos,
        offer,
        context.settings.insights,
        night=context.night,
    )
    language = context.settings.language
    writer = writer_of(context, "insights")
    summaries = write_summaries(found.creator_insights, writer, language)
    counts = {
        "creators": int((videos[CREATOR_ID] != "").groupby(videos[CREATOR_ID]).any().sum()),
        "creators_with_insights": len(summaries),
        "cells": len(found.creator_insights),
        "videos": len(found.creator_videos),
        "summaries_by_model": int((summaries[SUMMARY_SOURCE] == MODEL).sum()),
        **count_writing(writer, context),
    }
    parts = {
        "creator_insights": found.creator_insights,
        "creator_videos": found.creator_videos,
        "creator_summaries": summaries,
    }
    return Made({"insights": parts}, counts)

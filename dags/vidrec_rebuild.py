"""By hand: embed every video again, for instance with a new encoder."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param
from vidrec_dag_defaults import DEFAULT_ARGS, NIGHT_PARAM, TAGS
from vidrec_flow import night_flow

DOC = """
### vidrec: rebuild

The jobs of a night, started cold: every film is embedded again and every model learns from nothing.
Use it to try or to introduce another encoder. Readers keep the old run until this one is published.

To keep a new encoder, also set `VIDREC_CONTENT__TEXT_ENCODER` (or `…FRAME_ENCODER`); otherwise the
next night embeds everything with the old one again. `vidrec_rollback` goes back.
"""


def encoder_param(what: str) -> Param:
    """A form field for an encoder."""
    return Param(
        None,
        type=["null", "string"],
        minLength=1,
        maxLength=300,
        title=f"{what} encoder",
        description_md="`embedded`, a local folder, or a hub id where `HF_HUB_OFFLINE` is 0; "
        "empty: what the settings say.",
        examples=["embedded"],
        section="Encoders",
    )


with DAG(
    dag_id="vidrec_rebuild",
    description="Embed every video again, with a new encoder if you like, and publish.",
    doc_md=DOC,
    schedule=None,
    is_paused_upon_creation=False,  # nothing runs unless somebody asks
    start_date=pendulum.datetime(2024, 1, 1, tz="UTC"),
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=[*TAGS, "by hand"],
    params={
        "night": NIGHT_PARAM,
        "text_encoder": encoder_param("Text"),
        "frame_encoder": encoder_param("Frame"),
    },
) as dag:
    night_flow()

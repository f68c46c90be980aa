"""vidrec: a nightly batch system that publishes precomputed, explained video recommendations.

::

    when     dags/            Airflow: one-line tasks, arrows, trigger forms
    look     plugins/         the page inside the Airflow UI
    what     vidrec_tasks/    this library; it never imports airflow

    __main__                              python -m vidrec_tasks JOB --night 2026-09-01
    jobs  demo                            read, check, call, check, write
    publishing  evaluation  importing     tables for readers; gates and report; other people's files
    recommending  searching  insights     lists; answers; what an audience wants
    measuring  audience                   metrics; who watches
    language  content                     words that are true; what a video is
    store                                 artefact names to places; no meaning of data
    contracts                             the tables at the borders
    settings                              the only reader of the environment
    columns  errors                       each word once

Imports go down only.
"""

__version__ = "0.2.0"

"""vidrec: a nightly batch system that publishes precomputed, explained video recommendations.

It never imports Airflow: dags/ says when, plugins/ shows, this says what. The rooms and the way
through them are drawn in docs/ARCHITECTURE.md, the jobs of a night declared in `night`.

Imports go down only.
"""

__version__ = "0.2.0"

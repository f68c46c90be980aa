"""Evaluation: replay, gates, claims and the report."""

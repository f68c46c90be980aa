"""Recommending: candidates, models, ranking, re-ranking, rules and explanations."""

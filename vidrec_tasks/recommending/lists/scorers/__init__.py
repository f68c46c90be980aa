"""Scorers, one a file; `registry.SCORERS` names those that exist."""

"""Candidate sources, one subject a file; `registry.SOURCES` names those that exist."""

"""Searching: lexical and vector search, fused."""

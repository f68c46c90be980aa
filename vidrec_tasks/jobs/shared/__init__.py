"""Shared: what several jobs read in the same way."""

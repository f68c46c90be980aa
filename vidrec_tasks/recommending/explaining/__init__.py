"""Explaining: which part of a score a video owes to what, in words that are true."""

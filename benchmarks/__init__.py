"""Benchmarks: side by side with what a user would pick instead, one run, ratios in JSON."""

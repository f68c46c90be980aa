"""Insights: what an audience wants, k-anonymous."""

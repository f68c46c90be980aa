"""Beside the lists: similar videos, and lists for strangers."""

"""Audience: who watches: interactions, histories, profiles, portraits."""

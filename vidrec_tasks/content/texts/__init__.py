"""Texts: what is said in a film and written on its screen, as passages with seconds."""

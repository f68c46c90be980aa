"""Encoding: texts and frames to vectors, by embedded models or named ones."""

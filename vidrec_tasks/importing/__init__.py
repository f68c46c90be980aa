"""Importing: presets that read other people's files."""

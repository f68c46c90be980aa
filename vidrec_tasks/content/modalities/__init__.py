"""Modalities: the ways in which a video is read (its words, its frames), one file each."""

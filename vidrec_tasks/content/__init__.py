"""Content: what a video is, seen and read; knows no user."""

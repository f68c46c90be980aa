"""Decoding: films to keyframes, by processes (`worker`) that `process` starts, asks and times."""

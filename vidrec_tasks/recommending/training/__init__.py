"""Training: fitting the models and choosing what serves on held-out events."""

"""Measuring: splits and metrics, below recommending because blends are learned with them."""

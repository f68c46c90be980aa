"""Demo: renders a small world with a known truth."""

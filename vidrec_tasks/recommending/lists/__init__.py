"""Lists: sources of candidates, features, ranking, diversity, rules."""

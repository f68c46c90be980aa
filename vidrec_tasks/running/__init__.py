"""Running: what a job is, and what carries jobs out: of a night, by hand, after a person's word."""

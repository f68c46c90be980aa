"""The tables at the borders of vidrec: what a column may hold, and the check that says so."""

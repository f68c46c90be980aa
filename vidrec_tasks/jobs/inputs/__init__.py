"""Inputs: what validate_inputs is made of: reading, admitting, dividing into buckets."""

"""Inputs: the steps that validate_inputs is made of: read, admit, bucket, pin."""

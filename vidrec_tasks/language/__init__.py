"""Language: a causal language model, and the check that what it writes is true."""

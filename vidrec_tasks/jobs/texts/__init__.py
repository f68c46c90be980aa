"""Texts: the steps of `read_texts`; only it joins them."""

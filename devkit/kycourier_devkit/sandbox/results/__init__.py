"""The documents whose results are served: what is particular to each, as a value."""

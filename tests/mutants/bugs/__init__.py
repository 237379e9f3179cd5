"""Bugs that each break one invariant; leaks are in `mutants.leaks`."""

"""The checks of the invariants I1 to I16, which only read the environment."""

"""The checks of the invariants I1 to I17, which only read the environment."""

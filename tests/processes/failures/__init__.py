"""Functions and stores that die, freeze, are out of time or out of reach."""

"""Pure values and rules: no clock, environment, randomness or I/O."""

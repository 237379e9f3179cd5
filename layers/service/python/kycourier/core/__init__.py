"""Rules and values: pure functions; no clock, environment, randomness or I/O."""

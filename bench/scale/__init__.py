"""A model of the fleet for docs/scale.md: its throughput, its cost and its limits."""

"""Where the scenario runs: one module per environment, and the contract they share."""

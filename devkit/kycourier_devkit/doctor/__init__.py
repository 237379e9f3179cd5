"""What is wrong with the settings and what they name."""

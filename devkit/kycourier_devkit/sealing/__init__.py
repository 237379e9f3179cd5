"""Makes the partner's key pair and opens what was sealed to it."""

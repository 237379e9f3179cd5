"""Proofs that no sink of the service holds a secret, a card number or a photo (I5)."""

"""Servers on loopback that stand in for a cloud's: moto, dynalite, Redis."""

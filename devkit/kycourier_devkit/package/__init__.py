"""Builds the zips that are deployed, without Docker and byte for byte reproducible."""

"""Seals results for the partner: JSON Web Encryption (RFC 7516)."""

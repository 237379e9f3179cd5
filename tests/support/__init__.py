"""Helpers that several test folders share; what one folder needs stays in it."""

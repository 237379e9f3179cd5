"""Generates pages and tables of the docs from the code that they describe."""

"""Stores filled with many orders at once, row for row as their adapters write them."""

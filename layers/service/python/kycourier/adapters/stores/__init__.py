"""Holds what key-value stores share: the index of due rows, timestamps; no store."""

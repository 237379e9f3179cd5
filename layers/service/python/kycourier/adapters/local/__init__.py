"""One machine and nothing but Python: SQLite and plain files."""

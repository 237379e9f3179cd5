"""The order: its row, its states, and what each reply means for it; no I/O."""

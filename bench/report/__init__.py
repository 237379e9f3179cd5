"""Results of a run, and how they are shown: file, terminal, page, picture."""

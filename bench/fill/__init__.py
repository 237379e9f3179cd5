"""State stores filled with many orders at once, in the row format of their adapters."""

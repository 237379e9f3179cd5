"""The ticket pair and tickets kept by others: lifetime and formats; no refreshing."""

"""The function files in processes of their own, and what observes them."""

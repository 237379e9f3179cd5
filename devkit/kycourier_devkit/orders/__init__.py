"""The commands that work on orders, in this process."""

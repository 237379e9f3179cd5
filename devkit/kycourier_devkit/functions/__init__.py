"""Function files in processes of their own, and the events that call them."""

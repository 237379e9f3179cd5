"""Function files that are measured beside the service's own; nothing imports them."""

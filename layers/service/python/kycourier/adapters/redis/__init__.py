"""Redis, for every cloud: state, and tickets that somebody else keeps in a key."""

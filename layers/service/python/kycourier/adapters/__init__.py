"""The outside: what calls us (triggers) and what we call, per technology."""

"""The stories, told with ports."""

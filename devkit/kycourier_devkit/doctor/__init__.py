"""The checks of the doctor command; each shows a state and a reason, never a value."""

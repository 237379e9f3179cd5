"""What wakes a function: events in, stories called, answers out."""

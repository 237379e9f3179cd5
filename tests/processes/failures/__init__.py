"""Functions and stores that die, freeze or are out of time, disk or reach."""

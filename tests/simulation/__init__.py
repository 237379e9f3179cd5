"""The real use cases on simulated time: one seed is one run, byte for byte."""

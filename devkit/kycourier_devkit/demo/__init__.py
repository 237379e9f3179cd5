"""The demo: real functions, step by step, each looked at."""

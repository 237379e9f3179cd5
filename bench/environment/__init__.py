"""Where the measured processes run: settings, interpreters, emulators, child processes.

How a figure is computed belongs in `measure`.
"""

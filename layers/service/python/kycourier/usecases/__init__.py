"""What the service does, step by step, through ports; no cloud, no HTTP."""

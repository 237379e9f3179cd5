"""What the measured processes talk to, each a process of its own on loopback."""

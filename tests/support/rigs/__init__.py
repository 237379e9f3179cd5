"""Parts of the service wired to fakes, ready for a test; starts no process."""

"""Servers on loopback and emulators; no knowledge of the service's stores."""

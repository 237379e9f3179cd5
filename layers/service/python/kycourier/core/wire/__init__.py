"""The platform's spelling: requests, signature, readers of replies; no documents."""

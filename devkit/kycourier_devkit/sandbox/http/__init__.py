"""The sandbox's HTTP server, response delivery and control endpoint."""

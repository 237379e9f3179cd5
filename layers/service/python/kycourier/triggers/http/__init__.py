"""The HTTP API: events, authentication, routes, problems; no rules."""

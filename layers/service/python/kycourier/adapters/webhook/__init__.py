"""Sends events to a receiver of the partner's as signed webhooks."""

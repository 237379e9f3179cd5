"""The commands for events: events list|show|tail, resend, listen, trigger."""

"""The emulated platform API: calls, grants, signatures, replies, result codes."""

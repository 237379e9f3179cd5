"""The local workspace: folder .kycourier, its lock, local settings and the sandbox."""

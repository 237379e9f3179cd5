"""Imitations of Tencent Cloud services, which verify signatures and permissions."""

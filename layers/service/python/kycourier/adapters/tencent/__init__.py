"""Tencent Cloud: COS, EventBridge and Secrets Manager (SSM)."""

"""Deploying to Tencent Cloud: what is there, what is wanted, and the way between."""

"""Implements the ports on Tencent Cloud's API and COS, one module each."""

"""Stores evidence by the S3 protocol for AWS and COS; no credentials or regions."""

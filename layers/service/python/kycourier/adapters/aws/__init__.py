"""Implements the ports on AWS's JSON APIs and S3, one module each."""

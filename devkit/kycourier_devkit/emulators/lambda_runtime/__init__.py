"""Runs a function from the built packages under the Lambda runtime client."""

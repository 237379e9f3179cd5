"""Imitations of AWS services, and what deploys a stack to them."""

"""Calls the KYC platform over HTTP; holds nothing that other HTTP clients share."""

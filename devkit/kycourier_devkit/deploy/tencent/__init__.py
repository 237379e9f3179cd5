"""Clients for Tencent Cloud's APIs and buckets; they do not know what is deployed."""

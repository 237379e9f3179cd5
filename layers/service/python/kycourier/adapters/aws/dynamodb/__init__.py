"""Calls DynamoDB: its table, items, expressions and clock; implements no port."""

"""tencent.yml: its schema, and what it means for each function; makes no calls."""

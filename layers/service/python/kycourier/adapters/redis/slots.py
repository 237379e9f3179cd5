"""Where in a cluster a key lies."""

from binascii import crc_hqx

SLOTS = 16384


def find_slot(key: str) -> int:
    """Give a key's slot: of what stands in its first braces, if anything does."""
    name = key.encode()
    _, _, rest = name.partition(b"{")
    tag, end, _ = rest.partition(b"}")
    return crc_hqx(tag if tag and end else name, 0) % SLOTS

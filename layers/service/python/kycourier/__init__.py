"""kycourier: from an order number to stored evidence and one masked event."""

__version__ = "0.1.0"

"""The synthetic documents behind order numbers: card data and pictures."""

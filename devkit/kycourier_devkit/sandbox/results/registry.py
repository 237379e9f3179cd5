"""Lists the documents that the sandbox serves."""

from kycourier_devkit.sandbox.results.bank_card import BANK_CARD

DOCUMENTS = (BANK_CARD,)

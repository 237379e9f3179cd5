"""Lists the documents that the sandbox serves."""

from kycourier_devkit.sandbox.results.bank_card import BANK_CARD
from kycourier_devkit.sandbox.results.face import FACE
from kycourier_devkit.sandbox.results.id_card import ID_CARD

DOCUMENTS = (BANK_CARD, ID_CARD, FACE)

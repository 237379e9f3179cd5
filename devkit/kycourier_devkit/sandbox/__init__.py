"""An emulator of the KYC platform for development; never part of a function."""

from kycourier_devkit.sandbox.behaviours.magic_orders import order_rows, order_sections
from kycourier_devkit.sandbox.documents.card_photos import draw_photos
from kycourier_devkit.sandbox.documents.face import FaceResult, face_for
from kycourier_devkit.sandbox.documents.face_files import FaceFiles, draw_face
from kycourier_devkit.sandbox.documents.id_card import IdCard, id_card_for
from kycourier_devkit.sandbox.documents.id_card_photos import IdCardPhotos, draw_id_card
from kycourier_devkit.sandbox.http.control import control_rows
from kycourier_devkit.sandbox.report import Report
from kycourier_devkit.sandbox.sandbox import APP_ID, APP_SECRET, Sandbox

__all__ = [
    "APP_ID",
    "APP_SECRET",
    "FaceFiles",
    "FaceResult",
    "IdCard",
    "IdCardPhotos",
    "Report",
    "Sandbox",
    "control_rows",
    "draw_face",
    "draw_id_card",
    "draw_photos",
    "face_for",
    "id_card_for",
    "order_rows",
    "order_sections",
]

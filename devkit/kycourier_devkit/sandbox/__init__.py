"""An emulator of the KYC platform to develop against; never in a deployed function."""

from kycourier_devkit.sandbox.call_faults import fault_rows
from kycourier_devkit.sandbox.cards import draw_photos
from kycourier_devkit.sandbox.orders import describe_orders, order_rows
from kycourier_devkit.sandbox.report import Report
from kycourier_devkit.sandbox.sandbox import APP_ID, APP_SECRET, Sandbox, serve

__all__ = [
    "APP_ID",
    "APP_SECRET",
    "Report",
    "Sandbox",
    "describe_orders",
    "draw_photos",
    "fault_rows",
    "order_rows",
    "serve",
]

"""Locates the checkout that the devkit was installed from."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"  # installed tools and downloaded wheels

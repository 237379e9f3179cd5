"""Runs a function in the layout of Tencent SCF; its control plane is tencent/scf.py."""

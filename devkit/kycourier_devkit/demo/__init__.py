"""The demo: one scenario, run locally and on emulators of AWS and Tencent Cloud."""

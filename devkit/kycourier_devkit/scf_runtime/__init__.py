"""Functions as Tencent SCF runs them: its layout, variables, context and events."""

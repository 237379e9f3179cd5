"""What the sandbox can be made to do: magic order numbers, faults, reply drift."""

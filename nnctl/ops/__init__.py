"""What the machine does: one file per op family, forward beside backward. Knows no spec."""

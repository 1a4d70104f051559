"""How parameters move: one file per update rule, and the schedules of the learning rate."""

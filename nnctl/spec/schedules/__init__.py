"""Schedules: the learning rate over the epochs, one file per type."""

"""Optimizers: update rules, one file per type."""

"""Losses: what is minimized, one file per type or family."""

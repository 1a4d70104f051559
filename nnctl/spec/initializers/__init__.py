"""Initializers: how parameters start, one file per family."""

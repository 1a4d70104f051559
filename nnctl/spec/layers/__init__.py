"""Layers: fields, bounds, output shape and parameters; one file per type or family."""

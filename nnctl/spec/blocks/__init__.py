"""Blocks: repeated structure, written once."""

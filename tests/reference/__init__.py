"""Naive twins of what the engine computes, in plain NumPy or Python. May not import nnctl."""

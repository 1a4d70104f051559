"""Activations: layers that act on each number (softmax: on each row) and train nothing.

Each is a layer of its own, and a value of a layer's ``activation``.
"""

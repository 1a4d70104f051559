"""Layers with windows at settings drawn at random, against independent float64 references.

Case ``k`` of a seed is a pure function of (seed, k), so a case that fails can be run alone:

    python -m tests.properties --count 3000          many, of another seed each day
    python -m tests.properties --seed 7 --first 137 --count 1
"""

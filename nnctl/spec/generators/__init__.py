"""Generators: data sets made from a formula and a seed, one file each."""

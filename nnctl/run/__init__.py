"""Runs: their directories, and the use cases that compose spec, data, network and files.

Prints nothing: the command line and the Python API are thin over it.
"""

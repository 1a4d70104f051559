"""How the network is run: vector micro-kernels, kernels as ops, tape, threads, compiled-code cache.

Importing this package prepares the cache directory, which must happen before numba is imported;
so every module that uses numba imports it through this package.
"""

from nnctl.engine import cache

cache.prepare()

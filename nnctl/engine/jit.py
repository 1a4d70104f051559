"""The only place that names numba's compilers: flags are agreed once.

``contract`` lets a*b+c be one rounding, ``nsz`` and ``arcp`` ignore the sign of zero and divide by
multiplying; NaN and Inf are kept, and no sum is re-ordered. ``error_model="numpy"``: Python's check
for a zero divisor keeps loops from becoming vectors.
"""

from __future__ import annotations

from numba import cfunc, njit, types

import nnctl.engine  # noqa: F401  the cache directory must be known before numba is imported

FLAGS = {"fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy"}

OP = types.void(types.int64, types.int64, types.int64, types.int64)


def inline(function):
    """Compile a helper into its callers."""
    return njit(forceinline=True, **FLAGS)(function)


def merged(function):
    """Compile a function as part of its only caller: nothing is optimized twice."""
    return njit(inline="always", **FLAGS)(function)


def helper(function):
    """Compile a function that other compiled functions call."""
    return njit(cache=True, nogil=True, **FLAGS)(function)


def entry(signature):
    """Compile a function that Python calls: it releases the interpreter's lock."""
    return njit(signature, cache=True, nogil=True, **FLAGS)


def native(signature):
    """Compile a function that is called through its address."""
    return cfunc(signature, cache=True, **FLAGS)

"""Functions made from text, where numba asks for it: the one place that runs generated source.

Numba keys its cache by a function's name and by what its closure holds; an intrinsic in a closure
never hits. So what differs between specialisations is put in the function's globals, and the name
says which specialisation it is. The text comes from kernel signatures only, never from a user.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def define(name: str, text: str, names: dict[str, Any], home: Callable[..., Any]) -> Any:
    """Return the function ``name`` defined by ``text``, with ``names`` as its globals.

    ``home`` is a function of the file that the cache entry shall lie beside.
    """
    file = inspect.getsourcefile(home) or __file__
    space = {"__name__": home.__module__, "__file__": file, **names}
    exec(compile(text, file, "exec"), space)  # noqa: S102
    return space[name]

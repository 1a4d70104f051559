"""From a kernel to an op: the text around it, generated from its argument names, and compiled.

An op has one signature, (arena, argument row, task, thread slot). The row holds the words of the
task split, then what each argument is bound to; the text finds the task's region, makes views of
the arrays and calls the kernel. One text serves all places where the kinds of the bindings agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from nnctl.engine import control, intrinsics
from nnctl.engine.jit import OP, merged, native
from nnctl.engine.kernel import Bound, Kernel
from nnctl.engine.source import define


def types_of(dtype: str) -> dict[str, Any]:
    """Element types by their letter; ``f`` is the network's own."""
    return {
        "f": np.dtype(dtype).type,
        "s": np.float32,
        "d": np.float64,
        "i": np.int64,
        "u": np.uint8,
    }


# what every kernel may ask for by name, and how an op finds it
IMPLICIT = {
    "task": "task",
    "live": "live",
    "unit": "F(1)",
    "first_row": "first_row",
    "last_row": "last_row",
    "first_column": "first_column",
    "last_column": "last_column",
    "step": f"load_int(memory + {control.STEP})",
    "seed": f"load_int(memory + {control.SEED})",
    "index": f"load_int(memory + {control.INDEX})",
    "inverse_live": "F(1) / F(live)",
    "memory": "memory",
    "scratch": f"load_int(memory + {control.SCRATCH})"
    f" + slot * load_int(memory + {control.SCRATCH_STRIDE})",
    "product1": f"load_int(memory + {control.PRODUCTS})",
    "product2": f"load_int(memory + {control.PRODUCTS + 8})",
    "row_product": f"load_int(memory + {control.ROW})",
    "turn": f"load_int(memory + {control.TURN})",
    "tile_product": f"load_int(memory + {control.TILES})",
    "order": f"view(load_int(memory + {control.ORDER})"
    f" + 8 * (load_int(memory + {control.START}) + first_row), last_row - first_row, i_)",
    "position": f"(load_int(memory + {control.START}) + first_row)",
}


class _Text:
    """Writes the text of one op."""

    def __init__(
        self, kernel: Kernel, dtype: str, bound: dict[str, Bound], aliases: dict[str, str]
    ) -> None:
        self.kernel, self.bound, self.aliases = kernel, bound, aliases
        self.sizes = {c: np.dtype(t).itemsize for c, t in types_of(dtype).items()}
        self.lines: list[str] = []
        self.at = 5  # after the words of the split
        self.place: dict[str, int] = {}
        for name, one in bound.items():
            self.place[name] = self.at
            self.at += len(one.words)

    def word(self, name: str, k: int = 0) -> str:
        return f"a[{self.place[name] + k}]"

    def value(self, name: str) -> str:
        """The expression for a whole argument (rows and tiles kernels)."""
        if name not in self.bound:
            return IMPLICIT[name]
        one = self.bound[name]
        w, unit, item = self.word(name), f"{one.dtype}_", self.sizes[one.dtype]
        count = "last_row - first_row"
        if one.kind == "rows":
            ld = self.word(name, 1)
            return f"view2({w} + first_row * {ld} * {item}, {count}, {ld}, {unit})"
        if one.kind == "column":
            return f"view({w} + first_row * {item}, {count}, {unit})"
        if one.kind == "vector":
            return f"view({w}, {self.word(name, 1)}, {unit})"
        if one.kind == "table":
            return f"view2(load_int({w}), {1 << 40}, {self.word(name, 1)}, {unit})"
        if one.kind == "record" and one.record is not None:
            words = ", ".join(self.word(name, k) for k in range(len(one.words)))
            return f"{one.record.__name__}({words})"
        if one.kind == "output":
            position = f"(load_int(memory + {control.START}) + first_row)"
            width = self.word(name, 1)
            return f"view2(load_int({w}) + {position} * {width} * {item}, {count}, {width}, {unit})"
        return self.scalar(name)

    def scalar(self, name: str) -> str:
        one, w = self.bound[name], self.word(name)
        if one.kind == "real":
            return f"F(float_of_bits({w}))"
        if one.kind == "rate":
            row = f"load_int(memory + {control.INDEX}) * load_int(memory + {control.RATES_WIDTH})"
            return f"F(view(load_int(memory + {control.RATES}) + 8 * ({row} + {w}), 1, d_)[0])"
        return w  # int, address

    def head(self, name: str) -> None:
        self.lines += [
            f"def {name}(memory, row, task, slot):",
            "    wide()",
            f"    a = view(row, {self.at}, i_)",
            f"    live = load_int(memory + {control.LIVE})",
            "    limit = a[4] if a[4] >= 0 else live",
            "    first_row = (task % a[1]) * a[0]",
            "    last_row = min(first_row + a[0], limit)",
            "    first_column = (task // a[1]) * a[2]",
            "    last_column = min(first_column + a[2], a[3])",
            "    if first_row >= last_row:",
            "        return",
        ]

    def body(self) -> None:
        if self.kernel.kind == "elementwise":
            return self._elements()
        arguments = ", ".join(self.value(name) for name in self.kernel.arguments)
        self.lines.append(f"    kernel({arguments})")
        return None

    def _elements(self) -> None:
        arrays = [n for n in self.kernel.arguments if n in self.bound]
        arrays = [n for n in arrays if self.bound[n].kind in ("rows", "flat", "column", "vector")]
        outputs = self.kernel.writes
        for name in self.kernel.arguments:
            if name in arrays and self.bound[name].kind == "column":
                raise TypeError(f"{self.kernel.name}: {name} is one number a sample; use @rows")
            if name not in arrays:
                value = self.scalar(name) if name in self.bound else IMPLICIT[name]
                self.lines.append(f"    {name}_s = {value}")
        self.lines.append("    bad = int32(0)")
        self.lines.append("    for r in range(first_row, last_row):")
        held = dict.fromkeys([*arrays, *outputs])
        for name in held:
            if name in self.aliases:
                continue
            one = self.bound[name]
            item = self.sizes[one.dtype]
            stride = {"rows": f"r * {self.word(name, 1)} + ", "flat": "r * a[3] + "}
            offset = stride.get(one.kind, "") + "first_column"
            self.lines.append(
                f"        {name}_v = view({self.word(name)} + ({offset}) * {item},"
                f" last_column - first_column, {one.dtype}_)"
            )
        array = {n: f"{self.aliases.get(n, n)}_v[j]" for n in held}
        call = ", ".join(array.get(n, f"{n}_s") for n in self.kernel.arguments)
        results = ", ".join(f"o{k}" for k in range(len(outputs)))
        self.lines.append("        for j in range(last_column - first_column):")
        self.lines.append(f"            {results} = kernel({call})")
        for k, name in enumerate(outputs):
            self.lines.append(f"            {array[name]} = o{k}")
        if self.kernel.checked:
            found = " | ".join(f"not_finite(o{k})" for k in range(len(outputs)))
            self.lines.append(f"            bad = int32(bad | {found})")
            self.lines.append("    if bad != 0:")
            self.lines.append(f"        store_int(memory + {control.FAILED}, 1)")


def _names(kernel: Kernel, dtype: str, bound: dict[str, Bound]) -> dict[str, Any]:
    names = {
        name: getattr(intrinsics, name)
        for name in (
            "view",
            "view2",
            "load_int",
            "store_int",
            "wide",
            "float_of_bits",
            "not_finite",
        )
    }
    names |= {f"{code}_": kind(0) for code, kind in types_of(dtype).items()}
    names |= {b.record.__name__: b.record for b in bound.values() if b.record is not None}
    compiled = merged(kernel.function)
    return names | {"F": np.dtype(dtype).type, "int32": np.int32, "kernel": compiled}


@cache
def _compile(
    kernel: Kernel,
    dtype: str,
    bound: tuple[tuple[str, Bound], ...],
    aliases: tuple[tuple[str, str], ...],
) -> Any:
    kinds = dict(bound)
    digest = hashlib.sha256(
        repr((dtype, [(n, b.kind, b.dtype) for n, b in bound], aliases)).encode()
    )
    name = f"{kernel.name}_{dtype}_{digest.hexdigest()[:10]}"
    text = _Text(kernel, dtype, kinds, dict(aliases))
    text.head(name)
    text.body()
    op = define(name, "\n".join(text.lines) + "\n", _names(kernel, dtype, kinds), kernel.function)
    return native(OP)(op)


def op(kernel: Kernel, dtype: str, bound: dict[str, Bound]) -> tuple[int, list[int]]:
    """Compile (or find) the op for these bindings; return its address and its argument words."""
    names = dict.fromkeys([*kernel.arguments, *kernel.writes])
    used = {n: bound[n] for n in names if n in bound}
    plain = tuple(
        (n, Bound(b.kind, b.dtype, (0,) * len(b.words), b.record)) for n, b in used.items()
    )
    compiled = _compile(kernel, dtype, plain, _aliases(kernel, used))
    return compiled.address, [word for one in used.values() for word in one.words]


def _aliases(kernel: Kernel, used: dict[str, Bound]) -> tuple[tuple[str, str], ...]:
    """Arguments that share an array: one view, so that LLVM need not check whether they overlap."""
    if kernel.kind != "elementwise":
        return ()
    first: dict[Sequence[int], str] = {}
    found = []
    for name, one in used.items():
        if one.kind in ("rows", "flat"):
            owner = first.setdefault(one.words, name)
            if owner != name:
                found.append((name, owner))
    return tuple(found)

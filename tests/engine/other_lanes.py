"""Runs a few cases with vectors of another length: ``NNCTL_VECTOR_BYTES=16 python -m tests...``."""

from __future__ import annotations

import os
import sys

from nnctl.engine import cpu
from tests.checks import machine, ops, optim, optim_machine
from tests.vectors import collect

# (tag, inputs, outputs) of dense layers, around the lengths of all vectors
DENSE = {
    (7, 3), (16, 16), (15, 17), (31, 33), (5, 47), (48, 49), (65, 2), (257, 5), (300, 37),
    (300, 18), (33, 20),
}  # fmt: skip
CHECKS = (ops.forward, ops.gradient, ops.reads_only, ops.threads, ops.one_by_one)


def main() -> int:
    if str(cpu.VECTOR_BYTES) != os.environ["NNCTL_VECTOR_BYTES"]:
        print(f"vectors of {cpu.VECTOR_BYTES} bytes", file=sys.stderr)
        return 1
    count = 0
    for case in collect("CASES"):
        size = case.shapes[0][0], case.shape[0]
        if case.tag == "dense" and size in DENSE or (case.tag, *case.shape) == ("relu", 33):
            for check in CHECKS:
                check(machine.engine, case)
                count += 1
    optim.ten_steps(optim_machine.engine, collect("OPTIMIZERS")[0])
    print(count)
    return 0


if __name__ == "__main__":
    sys.exit(main())

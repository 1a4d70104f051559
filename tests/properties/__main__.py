"""Many random cases: ``python -m tests.properties --count 3000``. Ends with 1 if one fails."""

from __future__ import annotations

import argparse
import sys
import time

from tests.properties.check import check
from tests.properties.draw import draw


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.properties", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="cases to try; default: 1000")
    parser.add_argument("--first", type=int, default=0, help="number of the first; default: 0")
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86400, help="default: day")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    failed = 0
    for number in range(asked.first, asked.first + asked.count):
        case = draw(asked.seed, number)
        try:
            check(case, asked.seed, threads=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {case.number} {case.op.id}: {error}", flush=True)
    print(f"{asked.count} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

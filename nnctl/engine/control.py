"""The control block at the start of the arena: byte offsets of the words that ops share."""

from __future__ import annotations

WORDS = 64


def _word(index: int) -> int:
    return 8 * index


LIVE = _word(0)  # samples in the batch at hand; what lies beyond them in the batch is not computed
START = _word(1)  # first position of the batch in the order
# those of a call, from here to NORMS and from SEED to SCRATCH_STRIDE, are set in one go
STEP = _word(2)  # global number of the step, from 0
INDEX = _word(3)  # number of the step within this native call
FAILED = _word(4)  # 1 once a parameter or a loss is not finite
ORDER = _word(5)  # address of the sample order, int64
STEPS = _word(6)  # address of the table of steps: rows of (start, live)
LOSSES = _word(7)  # address of the mean loss of each step, float64
NORMS = _word(8)  # address of the gradient norm of each step, float64
RATES = _word(9)  # address of the table of step-dependent scalars, float64
RATES_WIDTH = _word(10)
SEED = _word(11)
SCRATCH = _word(12)  # address of the scratch of thread slot 0
SCRATCH_STRIDE = _word(13)  # bytes
PRODUCTS = _word(14)  # addresses of the panel products, one and two vectors wide
TURN = _word(16)  # address of the function that turns a table round
ROW = _word(17)  # address of the product of a single row

TILES = _word(18)  # address of the product of parts on the CPU's tiles; 0 where it has none

# words that threads share, on cache lines of their own
TICKET = _word(24)  # a phase, and how many of its tasks are taken from either end
DONE = _word(32)  # tasks of the phase that are done, as far as counted
OPENED = _word(40)  # number of the phase, for those who wait

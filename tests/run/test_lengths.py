"""Lengths of sequences held against the network: what fits, and what is told of what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.data import Part, load
from nnctl.errors import DataError
from nnctl.graph import Graph, build
from nnctl.run.lengths import fitted
from nnctl.run.prepare import info_of, parts_of
from tests.graph import networks

HEAD = '[data]\nsource = "r.tsv"\ntokens = "character"\nsplit = { validation = 0, test = 0 }\n'
SAME = 'embedding units=3\nconv1d filters=4 kernel_size=3 padding="same"\ndense units={units}'
HALVES = "embedding units=3\nconv1d filters=4 kernel_size=2 stride=2\ndense units={units}"


def _fitted(folder: Path, records: str, layers: str, data: str = HEAD) -> tuple[Graph, Part]:
    (folder / "r.tsv").write_text(records)
    units = len(set("".join(line.partition("\t")[2] for line in records.splitlines()))) + 2
    spec = networks.spec(layers.replace("{units}", str(units)), data=data)
    dataset = load(spec.data, folder)
    info = info_of(dataset)
    graph = build(spec, info)
    part = parts_of(dataset, spec)["train"]
    return graph, fitted(graph, info.targets, part, "r.tsv")


def test_targets_get_the_steps_of_their_outputs(tmp_path: Path) -> None:
    """Shorter ones are padded; a stop that has no step of its own is left out."""
    _, part = _fitted(tmp_path, "abcd\tx\nab\tyx\nabc\tyx\n", SAME)
    assert part.targets[""].tolist() == [[2, 1, -1, -1], [3, 2, -1, -1], [3, 2, 1, -1]]
    _, part = _fitted(tmp_path, "ab\tyx\nba\txx\n", SAME)
    assert part.targets[""].tolist() == [[3, 2], [2, 2]]


@pytest.mark.parametrize(
    ("layers", "records", "said"),
    [
        (
            SAME,
            "abc\txyx\n\nab\txyy\n",
            'r.tsv:3:1: the target has 3 steps, and its input 2: "dense_1" gives one output for',
        ),
        (
            HALVES,
            "abcd\txy\nabcde\txyy\n",
            'r.tsv:2:1: the target has 3 steps, and its input 5: "dense_1" gives 2 outputs of them',
        ),
        (HALVES, "abcd\txy\na\tx\n", 'r.tsv:2:1: 1 step, and "conv1d_1" needs 2 or more'),
    ],
)
def test_records_that_do_not_fit_are_named_by_line(
    tmp_path: Path, layers: str, records: str, said: str
) -> None:
    with pytest.raises(DataError) as caught:
        _fitted(tmp_path, records, layers)
    (problem,) = caught.value.problems
    assert str(problem).startswith(said), problem
    assert ("encoder_decoder" if "target" in said else "smaller windows") in problem.hint


def test_of_many_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _fitted(tmp_path, "abc\txyx\n" + 13 * "ab\txyy\n", SAME)
    problems = caught.value.problems
    assert len(problems) == 11 and problems[-1].message == "and 3 more"


def _numbers(folder: Path, target: np.ndarray, layers: str, loss: str) -> Part:
    """A part of sequences (N, 4, 1) and such targets for their steps."""
    np.savez(folder / "s.npz", x=np.ones((len(target), 4, 1)), y=target)
    data = '[data]\nsource = "s.npz"\nfeatures = "x"\ntarget = "y"\nsteps = "all"\n'
    spec = networks.spec(layers, loss, data=f"{data}split = {{ validation = 0, test = 0 }}\n")
    dataset = load(spec.data, folder)
    info = info_of(dataset)
    return fitted(build(spec, info), info.targets, parts_of(dataset, spec)["train"], "s.npz")


MSE, NAN = '[loss]\ntype = "mse"\n', np.nan
EVERY = "gru units=3\ndense units=1"
CELL = '{type="gru",units=3}'
DECODER = f'encoder_decoder encoder=[{CELL}] decoder=[{CELL},{{type="dense",units=1}}]'


@pytest.mark.parametrize("layers", [EVERY, DECODER])
def test_targets_without_a_step(tmp_path: Path, layers: str) -> None:
    """Samples without one are left out of every sum, where no decoder is to say them; a part of
    such samples has no loss."""
    some = np.array([[1.0, NAN, 2.0, NAN], [NAN] * 4, [NAN, 1.0, NAN, NAN]])[:, :, None]
    none = np.full((3, 4, 1), NAN)
    with pytest.raises(DataError) as caught:
        _numbers(tmp_path, none, layers, MSE)
    said = "s.npz: no step of the target counts in these 3 samples: all are NaN"
    assert str(caught.value.problems[0]).startswith(said)
    if layers == EVERY:
        assert _numbers(tmp_path, some, layers, MSE).samples == 3
        return
    with pytest.raises(DataError) as caught:
        _numbers(tmp_path, some, layers, MSE)
    said = "s.npz: sample 1: the target has no step: all are NaN"
    assert str(caught.value.problems[0]).startswith(said)

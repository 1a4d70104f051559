"""Numbers that the network's precision cannot hold are a mistake in the data, not a divergence."""

from __future__ import annotations

import pytest

from nnctl.errors import DataError
from nnctl.run.prepare import prepare
from nnctl.spec import load_spec

SPEC = """\
[data]
source = "wide.csv"
target = "t"
{more}
[[layers]]
type = "dense"
units = 1
[loss]
type = "mse"
[training]
dtype = "{dtype}"
"""


@pytest.fixture
def spec(tmp_path):
    rows = "\n".join(f"{k}e38,{k * 0.5}" for k in range(1, 21))
    (tmp_path / "wide.csv").write_text(f"a,t\n{rows}\n")

    def make(dtype="float32", more=""):
        path = tmp_path / "wide.toml"
        path.write_text(SPEC.format(dtype=dtype, more=more))
        return load_spec(path)

    return make


def test_a_number_beyond_single_precision_is_named(spec):
    with pytest.raises(DataError) as caught:
        prepare(spec())
    assert all(p.file.endswith("wide.csv") and p.line > 4 for p in caught.value.problems)
    said = str(caught.value)
    assert "e+38 (sample" in said and "beyond what float32 holds" in said
    assert 'set normalize = "standard"' in said


@pytest.mark.parametrize(
    "more", ["", 'steps = "all"', 'features = ["a", "t"]\nhorizon = 2', "stride = 2"]
)
def test_of_windows_the_line_of_the_step_is_named(tmp_path, more):
    """One number too large among the inputs, a later one among the targets; blank lines between."""
    rows = [f"{1e300 if k == 3 else k},{-1e300 if k == 13 else k * 0.5}" for k in range(24)]
    (tmp_path / "wide.csv").write_text("\n".join(["a,t", "", *rows[:8], "", *rows[8:]]))
    layers = '[[layers]]\ntype = "gru"\nunits = 2\n'
    layers += "" if "all" in more else 'returns = "last"\n'
    text = SPEC.replace("{more}", f"window = 3\nsplit = {{ test = 0 }}\n{more}\n{layers}")
    (tmp_path / "wide.toml").write_text(text.replace("{dtype}", "float32"))
    with pytest.raises(DataError) as caught:
        prepare(load_spec(tmp_path / "wide.toml"))
    found = [(p.message.partition(":")[0], p.line) for p in caught.value.problems]
    assert found == [("input", 6), ("target", 17)]


@pytest.mark.parametrize("given", [{"dtype": "float64"}, {"more": 'normalize = "standard"'}])
def test_it_is_fine_in_double_precision_or_normalized(spec, given):
    prepare(spec(**given)).plan.close()

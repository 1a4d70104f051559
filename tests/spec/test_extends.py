"""``extends``: what is kept, what is replaced, and where mistakes are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.errors import SpecError
from nnctl.spec import Spec, load_spec
from tests.spec.helpers import PLAIN

BASE = PLAIN + '[optimizer]\ntype = "sgd"\nlearning_rate = 0.5\nmomentum = 0.9\n'


def put(folder: Path, **files: str) -> Path:
    """Write files NAME.toml; return the first."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder / f"{next(iter(files))}.toml"


def said(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    return str(caught.value).replace(f"{path.parent}/", "")


def test_tables_merge_and_arrays_are_replaced(tmp_path: Path) -> None:
    child = 'extends = "base.toml"\noptimizer.momentum = 0.5\n' + (
        '[[layers]]\ntype = "flatten"\n[[layers]]\ntype = "dense"\nunits = 10\n'
    )
    spec = load_spec(put(tmp_path, child=child, base=BASE))
    assert spec.optimizer.model_dump() == {
        "type": "sgd", "learning_rate": 0.5, "momentum": 0.5, "nesterov": False, "form": "notes",
    }  # fmt: skip
    assert len(spec.layers) == 2
    assert spec.name == "child"


def test_another_type_keeps_nothing_of_the_old_one(tmp_path: Path) -> None:
    child = 'extends = "base.toml"\n[optimizer]\ntype = "adam"\n'
    spec = load_spec(put(tmp_path, child=child, base=BASE))
    assert spec.optimizer.type == "adam"
    assert spec.optimizer.model_dump()["learning_rate"] == 1e-3


def test_a_chain_of_three(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        top='extends = "middle.toml"\ntraining.epochs = 3\n',
        middle='extends = "base.toml"\ntraining = { epochs = 2, seed = 7 }\n',
        base=BASE,
    )
    spec = load_spec(path)
    assert (spec.training.epochs, spec.training.seed, spec.optimizer.type) == (3, 7, "sgd")


def test_a_mistake_is_shown_in_the_file_it_came_from(tmp_path: Path) -> None:
    path = put(
        tmp_path,
        top='extends = "middle.toml"\n[training]\nepochs = 0\n',
        middle='extends = "base.toml"\n\n[training]\nsede = 7\n',
        base=BASE.replace("units = 10", "units = -1"),
    )
    lines = [line for line in said(path).splitlines() if not line.startswith("  ")]
    assert lines == [
        "top.toml:3:10: training.epochs: expected an integer of at least 1, given 0",
        'middle.toml:4:1: training.sede: unknown key "sede" of [training]',
        "base.toml:10:9: layers.2.units: expected an integer of at least 1, given -1",
    ]


def test_a_table_missing_everywhere_is_missed_in_the_file(tmp_path: Path) -> None:
    path = put(tmp_path, top='extends = "base.toml"\n', base=PLAIN.split("[loss]")[0])
    assert said(path).startswith('top.toml:1:1: loss: missing "loss": expected [loss] with')


def test_a_circle(tmp_path: Path) -> None:
    path = put(tmp_path, a='extends = "b.toml"\n', b='# b\nextends = "a.toml"\n')
    assert said(path) == (
        "b.toml:2:11: extends: extends itself: a.toml -> b.toml -> a.toml\n  break the circle"
    )


def test_itself(tmp_path: Path) -> None:
    assert said(put(tmp_path, a='extends = "a.toml"\n')).startswith("a.toml:1:11: extends: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = put(tmp_path, a='extends = "bsae.toml"\n', base=BASE)
    assert said(path) == (
        'a.toml:1:11: extends: no such file: "bsae.toml"\n'
        '  did you mean "base.toml"?\n'
        "  the path is relative to the folder of a.toml"
    )


def test_not_a_path(tmp_path: Path) -> None:
    path = put(tmp_path, a="extends = 3\n")
    assert said(path) == "a.toml:1:11: extends: expected the path of a spec file, given 3"


def test_a_base_that_is_not_toml(tmp_path: Path) -> None:
    path = put(tmp_path, a='extends = "base.toml"\n', base="x = \n")
    assert said(path) == "base.toml:1:5: not TOML: invalid value\n  a value is missing"


def test_paths_in_a_base_start_from_its_own_folder(tmp_path: Path) -> None:
    base = BASE.replace('"digits"', '"x.csv"\ntarget = "a.b"\ntest = "/abs/t.csv"')
    path = put(tmp_path, top='extends = "parts/base.toml"\n', parts__base=base)
    data = load_spec(path).data
    assert (data.source, data.target, data.test) == ("parts/x.csv", "a.b", "/abs/t.csv")


def test_a_bundled_name_is_no_path(tmp_path: Path) -> None:
    spec: Spec = load_spec(put(tmp_path, top='extends = "p/b.toml"\n', p__b=BASE))
    assert spec.data.source == "digits"


def test_a_chain_that_is_too_long(tmp_path: Path) -> None:
    files = {f"c{k}": f'extends = "c{k + 1}.toml"\n' for k in range(1200)}
    path = put(tmp_path, **files, c1200=BASE)
    assert said(path) == (
        "c100.toml:1:11: extends: more than 100 files extend one another, up to c0.toml\n"
        "  join some of them"
    )
    assert load_spec(tmp_path / "c1100.toml").name == "c1100"


@pytest.mark.parametrize("given", ["[" * 3000 + "]" * 3000, "{a=" * 3000 + "1" + "}" * 3000])
def test_values_nested_beyond_all_reason(tmp_path: Path, given: str) -> None:
    path = put(tmp_path, a=f"name = {given}\n")
    assert said(path).startswith("a.toml:1:1: not a spec: arrays or tables nested hundreds")
    with pytest.raises(SpecError, match="nested hundreds of levels deep"):
        load_spec(put(tmp_path, b=BASE), [f"name={given}"])


def test_flags_win_over_bases(tmp_path: Path) -> None:
    path = put(tmp_path, a='extends = "base.toml"\n', base=BASE)
    assert load_spec(path, ["optimizer.momentum=0.1"]).optimizer.model_dump()["momentum"] == 0.1
    with pytest.raises(SpecError) as caught:
        load_spec(path, ["optimizer.momentum=2"])
    assert str(caught.value).startswith("--set optimizer.momentum=2: expected a number")


@pytest.mark.parametrize(("given", "found"), [("w.x", "parts/w.x"), ("/abs/w.x", "/abs/w.x")])
def test_the_file_to_start_from_stays_where_the_base_says(
    given: str, found: str, tmp_path: Path
) -> None:
    base = BASE + f'[init]\nfrom = "{given}"\nnames = "torch"\n'
    spec = load_spec(put(tmp_path, a='extends = "parts/base.toml"\n', parts__base=base))
    assert spec.init is not None and spec.init.from_ == found

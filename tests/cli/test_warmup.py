"""``nnctl warmup`` compiles for networks that between them use every type."""

from __future__ import annotations

import pytest

from nnctl.cli._warmup import common
from nnctl.spec.registry import tags

from .support import Nnctl


def test_the_common_networks_use_every_type() -> None:
    specs = common([])
    layers = {layer.type for spec in specs for layer in spec.layers}
    assert layers >= {*tags("activations"), "dense", "dropout", "add", "multiply", "concat"}
    assert layers >= {"batch_norm", "layer_norm", "group_norm", "adaptive_avg_pool"}
    # one and three axes run in the code for two
    assert layers >= {tag for tag in tags("layers") if "2d" in tag and tag != "avg_pool2d"}
    activations = {getattr(layer, "activation", None) for spec in specs for layer in spec.layers}
    assert {model.type for model in activations if model} == set(tags("activations"))
    assert {loss.type for spec in specs for loss in spec.losses.values()} == set(tags("losses"))
    assert {spec.optimizer.type for spec in specs} == set(tags("optimizers"))


def test_flags_reach_every_network(nnctl: Nnctl, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def pretend(spec: object) -> float:
        seen.append(spec)
        return 0.5

    monkeypatch.setattr("nnctl.cli._warmup.compile_spec", pretend)
    found = nnctl("warmup", "--dtype", "float64", "--json").document
    assert {spec.training.dtype for spec in seen} == {"float64"}
    assert found["networks"] == [spec.name for spec in seen]
    assert found["compile_seconds"] == 0.5 * len(seen)
    assert nnctl("warmup", "--dtype", "int8").status == 2


def test_every_network_compiles(nnctl: Nnctl) -> None:
    found = nnctl("warmup", "--json").document
    assert "images" in found["networks"] and found["compile_seconds"] > 0

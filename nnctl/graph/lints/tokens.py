"""Advice on tokens."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.graph.graph import input_node_name
from nnctl.graph.lint import Advice, View


def tokens_as_amounts(view: View) -> Iterator[Advice]:
    """Tokens are names: a larger one is not more of anything."""
    steps = {target.steps for target in view.info.targets.values()}
    for name, count in view.info.vocabularies.items():
        is_sequence = view.info.inputs[name][0] in steps
        if not is_sequence and name not in view.graph.tokens():
            continue  # whole numbers in a table may well be amounts
        for node in view.graph.nodes:
            if input_node_name(name) in node.inputs and node.tokens is None:
                yield Advice(
                    node.path,
                    f'"{node.layer}" reads tokens (0 to {count - 1}) as if they were amounts',
                    'put a layer of type = "embedding" before it; if they are amounts, store them '
                    "as float32",
                )

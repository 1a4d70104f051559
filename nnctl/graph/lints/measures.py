"""Advice on what is measured."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.graph.lint import Advice, View
from nnctl.spec import measurable


def hopeless_gates(view: View) -> Iterator[Advice]:
    """A gate on a metric, class or output that there is not: it fails however well it goes."""
    for finding in measurable.gates(view.spec, view.info):
        yield Advice(finding.path, finding.message, finding.hint)

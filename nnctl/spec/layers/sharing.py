"""What layers that use another's parameters may not say of them."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.spec.base import Finding, LayerModel


def of_the_owner(layer: LayerModel, *keys: str) -> Iterator[Finding]:
    """Find keys that speak of parameters which ``share`` says are another layer's."""
    if layer.share is None:
        return
    for key in keys:
        if getattr(layer, key) is not None:
            message = f'has no effect with share: the parameters are those of "{layer.share}"'
            yield Finding((key,), message, f'set it on "{layer.share}"')

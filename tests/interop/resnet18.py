"""The tensors of torchvision's ``resnet18``, written down by hand: what its weights are."""

from __future__ import annotations

CONVOLUTIONS = """\
conv1 64 3 7 7
layer1.0.conv1 64 64 3 3
layer1.0.conv2 64 64 3 3
layer1.1.conv1 64 64 3 3
layer1.1.conv2 64 64 3 3
layer2.0.conv1 128 64 3 3
layer2.0.conv2 128 128 3 3
layer2.0.downsample.0 128 64 1 1
layer2.1.conv1 128 128 3 3
layer2.1.conv2 128 128 3 3
layer3.0.conv1 256 128 3 3
layer3.0.conv2 256 256 3 3
layer3.0.downsample.0 256 128 1 1
layer3.1.conv1 256 256 3 3
layer3.1.conv2 256 256 3 3
layer4.0.conv1 512 256 3 3
layer4.0.conv2 512 512 3 3
layer4.0.downsample.0 512 256 1 1
layer4.1.conv1 512 512 3 3
layer4.1.conv2 512 512 3 3
"""
NORMALIZATIONS = """\
bn1 64
layer1.0.bn1 64
layer1.0.bn2 64
layer1.1.bn1 64
layer1.1.bn2 64
layer2.0.bn1 128
layer2.0.bn2 128
layer2.0.downsample.1 128
layer2.1.bn1 128
layer2.1.bn2 128
layer3.0.bn1 256
layer3.0.bn2 256
layer3.0.downsample.1 256
layer3.1.bn1 256
layer3.1.bn2 256
layer4.0.bn1 512
layer4.0.bn2 512
layer4.0.downsample.1 512
layer4.1.bn1 512
layer4.1.bn2 512
"""
HEAD = {"fc.weight": (1000, 512), "fc.bias": (1000,)}


def shapes() -> dict[str, tuple[int, ...]]:
    """By name; () is the counter that goes with running statistics."""
    found: dict[str, tuple[int, ...]] = {}
    for line in CONVOLUTIONS.splitlines():
        name, *sizes = line.split()
        found[f"{name}.weight"] = tuple(map(int, sizes))
    for line in NORMALIZATIONS.splitlines():
        name, size = line.split()
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (int(size),)
        found[f"{name}.num_batches_tracked"] = ()
    return {**found, **HEAD}

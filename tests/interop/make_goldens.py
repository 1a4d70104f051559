"""Make ``goldens.json``: outputs of PyTorch's layers in evaluation mode. Not run by the suite.

``python -m tests.interop.make_goldens > tests/interop/goldens.json``

The ResNet-18 is written here as torchvision writes it; of nnctl nothing takes part.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from torch import Tensor, nn

from tests.interop.cases import MIXED_SHAPES, NARROW, narrow_shapes, pictures, state

torch.set_default_dtype(torch.float64)
A, B, C, D = (NARROW[wide] for wide in (64, 128, 256, 512))


def conv(read: int, width: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(read, width, size, stride, padding=size // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, read: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(read, width, 3, stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, 3), nn.BatchNorm2d(width)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(conv(read, width, 1, stride), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, A, 7, 2), nn.BatchNorm2d(A)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(A, A), BasicBlock(A, A))
        self.layer2 = nn.Sequential(BasicBlock(A, B, 2), BasicBlock(B, B))
        self.layer3 = nn.Sequential(BasicBlock(B, C, 2), BasicBlock(C, C))
        self.layer4 = nn.Sequential(BasicBlock(C, D, 2), BasicBlock(D, D))
        self.fc = nn.Linear(D, NARROW[1000])

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, (3, 2), (2, 1), padding=1)
        self.parts = nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.each = nn.Conv2d(6, 12, 3, groups=6)
        self.up = nn.ConvTranspose2d(12, 4, (2, 3), 2, groups=2)
        self.true = nn.Conv2d(4, 3, 2)
        self.norm = nn.BatchNorm1d(MIXED_SHAPES["norm.weight"][0])
        self.hidden, self.fc = nn.Linear(294, 5), nn.Linear(5, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.each(self.parts(torch.tanh(self.stem(x))))
        y = self.true(self.up(y)).flatten(1)
        both = torch.cat([x.flatten(1), torch.relu(self.norm(y))], 1)
        return self.fc(torch.tanh(self.hidden(both)))


def outputs(case: str, model: nn.Module, shapes: dict[str, tuple[int, ...]]) -> list[list[float]]:
    model.load_state_dict({name: torch.from_numpy(a) for name, a in state(shapes).items()})
    x = torch.from_numpy(np.moveaxis(pictures(case), -1, 1).copy())
    with torch.no_grad():
        return model.eval()(x).tolist()  # type: ignore[no-any-return]


if __name__ == "__main__":
    found = {
        "resnet": outputs("resnet", ResNet18(), narrow_shapes()),
        "mixed": outputs("mixed", Mixed(), dict(MIXED_SHAPES)),
    }
    json.dump(found, sys.stdout, indent=1)
    print()

"""How a dataset was read: enough to read another file in the same way, and to keep in a checkpoint.

Stdlib only. A checkpoint that holds this needs no file of the training data to predict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnctl.data.roles import Roles
from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape


@dataclass(frozen=True)
class Reading:
    """Roles of the fields, shapes of the inputs, what the targets are, and the file's name.

    ``roles`` is None where the data had no fields, because a formula made them.
    """

    name: str
    roles: Roles | None
    shapes: dict[str, Shape]
    targets: dict[str, TargetInfo]

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and strings; ``from_json`` is the inverse."""
        roles = self.roles and {
            "inputs": {key: list(names) for key, names in self.roles.inputs.items()},
            "targets": {key: list(names) for key, names in self.roles.targets.items()},
            "mirrors": dict(self.roles.mirrors),
        }
        targets = {
            key: {"kind": t.kind, "width": t.width, "classes": t.classes and list(t.classes)}
            for key, t in self.targets.items()
        }
        shapes = {key: list(shape) for key, shape in self.shapes.items()}
        return {"name": self.name, "roles": roles, "shapes": shapes, "targets": targets}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Reading:
        """Return the reading that ``to_json`` wrote."""
        given = table["roles"]
        roles = given and Roles(
            {key: tuple(names) for key, names in given["inputs"].items()},
            {key: tuple(names) for key, names in given["targets"].items()},
            dict(given["mirrors"]),
        )
        targets = {
            key: TargetInfo(t["kind"], t["width"], tuple(t["classes"]) if t["classes"] else None)
            for key, t in table["targets"].items()
        }
        shapes = {key: tuple(shape) for key, shape in table["shapes"].items()}
        return cls(table["name"], roles, shapes, targets)

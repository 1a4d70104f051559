"""How a dataset was read: enough to read another file in the same way, and to keep in a checkpoint.

Stdlib only. A checkpoint that holds this needs no file of the training data to predict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nnctl.data.roles import Roles
from nnctl.data.tokens import Vocabulary
from nnctl.spec.info import TargetInfo, fields_of, target_of
from nnctl.spec.shapes import Shape


@dataclass(frozen=True)
class Reading:
    """Roles of the fields, shapes and types of the inputs, what the targets are.

    ``name`` is the file's. ``noun`` says what its fields were, columns or arrays: their names mean
    nothing in a file of the other sort. ``roles`` is None where a formula made the data, or where
    they are a text. ``vocabularies`` number the tokens of inputs, ``answers`` those of targets that
    are sequences with an end; ``vocabulary_sizes`` counts the tokens of every input of tokens.
    """

    name: str
    noun: str
    roles: Roles | None
    shapes: dict[str, Shape]
    dtypes: dict[str, str]
    targets: dict[str, TargetInfo]
    vocabulary_sizes: dict[str, int] = field(default_factory=dict)
    vocabularies: dict[str, Vocabulary] = field(default_factory=dict)
    answers: dict[str, Vocabulary] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain dictionaries, lists and strings; ``from_json`` is the inverse."""
        roles = self.roles and {
            "inputs": {key: list(names) for key, names in self.roles.inputs.items()},
            "targets": {key: list(names) for key, names in self.roles.targets.items()},
            "mirrors": dict(self.roles.mirrors),
        }
        targets = {key: fields_of(target) for key, target in self.targets.items()}
        shapes = {key: list(shape) for key, shape in self.shapes.items()}
        inputs = {"shapes": shapes, "dtypes": dict(self.dtypes)}
        table = {"name": self.name, "noun": self.noun, "roles": roles, **inputs, "targets": targets}
        for key in ("vocabularies", "answers"):
            known = {name: each.to_json() for name, each in getattr(self, key).items()}
            table |= {key: known} if known else {}
        sizes = dict(self.vocabulary_sizes)
        return table | ({"vocabulary_sizes": sizes} if sizes else {})

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Reading:
        """Return the reading that ``to_json`` wrote."""
        given = table["roles"]
        roles = given and Roles(
            {key: tuple(names) for key, names in given["inputs"].items()},
            {key: tuple(names) for key, names in given["targets"].items()},
            dict(given["mirrors"]),
        )
        targets = {key: target_of(fields) for key, fields in table["targets"].items()}
        shapes = {key: tuple(shape) for key, shape in table["shapes"].items()}
        known, said = (
            {name: Vocabulary.from_json(each) for name, each in table.get(key, {}).items()}
            for key in ("vocabularies", "answers")
        )
        dtypes = dict(table["dtypes"])
        sizes = dict(table.get("vocabulary_sizes", {}))
        name, noun = table["name"], table["noun"]
        return cls(name, noun, roles, shapes, dtypes, targets, sizes, known, said)

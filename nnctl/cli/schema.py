"""Print the JSON Schema of spec files, for editors.

  nnctl schema > nnctl.schema.json

and, as the first line of a spec, where an editor with TOML support finds it:

  #:schema ./nnctl.schema.json
"""

from __future__ import annotations

from nnctl.cli._options import Json
from nnctl.cli.output import Output


def command(json: Json = False) -> None:
    from nnctl.spec.schema import json_schema

    Output(json=True).verbatim(json_schema())

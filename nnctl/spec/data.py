"""``[data]``: where the samples come from, and which part of them does what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_core import PydanticCustomError

from .base import Expect, Finding, SpecModel, Words, table
from .generators.base import GeneratorModel
from .info import PICTURE_KEYS
from .registry import Tagged
from .sequences import findings
from .split import Split, Text

# What the names of data files end in, which a folder's may not.
FILE_ENDINGS = (
    ".csv", ".tsv", ".gz", ".npz", ".npy", ".bin", ".idx", "ubyte", ".png", ".jpg", ".jpeg", ".gif",
    ".txt", ".jsonl",
)  # fmt: skip


class _Source(Tagged):
    """A string is a name or a path; a table is a generator."""

    def validate(self, value: Any) -> Any:
        if isinstance(value, str) and value:
            return value
        if isinstance(value, dict | SpecModel):
            return super().validate(value)
        raise PydanticCustomError("not_expected", "not a source")

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        table = super().__get_pydantic_json_schema__(schema, handler)
        return {"anyOf": [{"type": "string", "minLength": 1}, table]}


Source = Annotated[
    str | GeneratorModel,
    _Source("generators"),
    Expect('a name, a path, or a table { generate = "...", samples = ... }'),
]


class DataFile(SpecModel):
    """A separate file of samples, where the targets lie in another one (IDX images and labels)."""

    source: Text = Field(description="path of the inputs")
    target: Text | None = Field(None, description="path of the targets, or their column or array")


Extra = Annotated[
    Text | DataFile,
    Expect("a path, or a table { source = ..., target = ... }"),
]
Columns = dict[Text, Words]
Side = Annotated[int, Field(ge=1, le=65536)]


class DataSpec(SpecModel):
    """Where the samples come from, what is input and what is target, and how they are split.

    A bare name is a bundled data set; a path is relative to the spec file. Images are scaled to
    [0, 1]. Normalization is fitted on the training part alone and kept in the checkpoint.

    A folder of images (.png, .jpg, .jpeg, .gif) holds a folder for each class, or folders train,
    test and validation (or val) that hold those and are the split. A clip is a folder of frames or
    an animated GIF in the folder of its class. Classes are in order of name, files too, in which
    digits count as a number. Hidden files and files of other endings are passed over. Rotation by
    EXIF is not applied; alpha is dropped where channels is 1 or 3; of 16 bits a channel the upper
    8 count. A folder of CIFAR batches (.bin) is read too; its targets are class (CIFAR-10), fine
    and coarse (CIFAR-100).

    Beside an input of T steps, an array (N, T, features) or tokens (N, T), whole numbers (N, T) as
    target are a class for every step, where -1 does not count, and numbers (N, T, width) are
    numbers for every step, where NaN does not; task = "regression" makes (N, T) T numbers. With
    steps = "all" targets are sequences of any length, as an encoder-decoder gives them.

    With a window, a table is a series, its rows in order of time: samples are windows of rows, the
    target is that of a later row. A text (.txt) is a series of tokens, and the target is the next
    one. The parts are blocks in order of time: train, validation, test; no window lies in two. The
    vocabulary of a text is that of its training part, in the order of code points.

    With tokens, the columns of a table are texts, as the fields of JSON lines (.jsonl) are: an
    input and a target a record, which are called so or named by features and target. The target is
    a sequence that ends in a stop symbol, unless task says that it is a class or a number.
    """

    source: Source = Field(description="bundled name, path, or generator")
    target: Text | None = Field(
        None,
        description='column or array to predict, or file of labels; "@input" is the input itself',
    )
    targets: Columns | None = Field(
        None, min_length=1, description="several targets: a name and the columns of each"
    )
    features: Words | None = Field(
        None, description="columns to read as input; default: all but the target"
    )
    inputs: Columns | None = Field(
        None, min_length=1, description="several inputs: a name and the columns of each"
    )
    test: Extra | None = Field(None, description="file of test samples; then none is split off")
    validation: Extra | None = Field(
        None, description="file of validation samples; then none is carved out"
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="between cells; default: by the file's name"
    )
    header: bool | None = Field(
        None, description="whether the first row names the columns; default: found out"
    )
    channels: Literal[1, 3, 4] | None = Field(
        None,
        description="of image files: 1 gray, 3 RGB, 4 RGBA; default: what all of them are",
    )
    image_size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[height, width] that image files are resized to, bilinearly; default: none",
    )
    frames: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="of clips: read this many from the start; default: what all of them have",
    )
    window: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="steps of a sequence that the network sees, of a table whose rows are in order "
        "of time, or of a text (default there: 64)",
    )
    horizon: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="steps from what is seen last to what is to be predicted; default 1",
    )
    stride: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="steps from one window to the next; default: 1, of a text the window",
    )
    steps: Literal["last", "all"] | None = Field(
        None,
        description="predict what follows the last step alone, or what follows each step; default: "
        "last, of a text all. Of arrays, all says that targets are sequences, of any length",
    )
    tokens: Literal["character", "word", "byte"] | None = Field(
        None,
        description="what text is cut into: input and target of JSONL or of a table, or a whole "
        "text (default there: character)",
    )
    unknown: bool = Field(
        False, description="add a symbol for what the training part does not hold; else an error"
    )
    max_length: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="most tokens of an input or a target, which longer records exceed by mistake; "
        "default: the longest of the file",
    )
    task: Literal["classification", "regression"] | None = Field(
        None, description="what to do with the target; default: by its values"
    )
    normalize: Literal["none", "standard", "minmax"] = Field(
        "none", description="standard: mean 0 and deviation 1; minmax: 0 to 1; by feature"
    )
    normalize_target: bool = Field(
        False, description="train on targets of mean 0 and deviation 1 (regression)"
    )
    split: Split = table("shares of train, test, validation")
    limit: int | None = Field(
        None, ge=2, le=2**40, description="use this many samples of the training part"
    )

    def conflicts(self) -> Iterable[Finding]:
        for one, many in (("target", "targets"), ("features", "inputs")):
            if getattr(self, one) is not None and getattr(self, many) is not None:
                yield Finding((one,), f"cannot hold together with {many}", "remove one of them")
        if self.normalize_target and self.task == "classification":
            message = 'has no effect with task = "classification"'
            yield Finding(("normalize_target",), message, "classes are not scaled; remove it")
        yield from findings(self)
        yield from self._of_files()

    def _of_files(self) -> Iterable[Finding]:
        if self.delimiter is not None or self.header is not None:
            key = "delimiter" if self.delimiter is not None else "header"
            if not (isinstance(self.source, str) and is_path(self.source)):
                message = f"has no effect: {key} is for text files, and the source is none"
                yield Finding((key,), message, "remove it")
        if isinstance(self.source, GeneratorModel):
            for key in ("target", "targets", "features", "inputs"):
                if getattr(self, key) not in (None, "@input"):
                    message = "has no effect: a generator names its own input and target"
                    yield Finding((key,), message, "remove it")
            for key in PICTURE_KEYS:
                if getattr(self, key) is not None:
                    message = f"has no effect: {key} is for files of images"
                    yield Finding((key,), message, "remove it, and set the generator's own fields")
        if self.test is not None and self.split.test not in (0, Split.model_fields["test"].default):
            message = "has no effect: data.test gives the test samples"
            yield Finding(("split", "test"), message, "remove one of them")
        if self.validation is not None and self.split.validation:
            message = "has no effect: data.validation gives the validation samples"
            yield Finding(("split", "validation"), message, "remove one of them")

    @property
    def has_validation(self) -> bool:
        """Whether there are samples that selections may read."""
        return self.validation is not None or self.split.validation > 0

    @property
    def may_be_folder(self) -> bool:
        """Whether the source may be a folder, which may have a validation part of its own."""
        if not isinstance(self.source, str) or not is_path(self.source):
            return False
        return not self.source.lower().endswith(FILE_ENDINGS)


def is_path(source: str) -> bool:
    """Whether a source names a file: a bundled name has neither a dot nor a slash."""
    return any(mark in source for mark in "./\\")

"""What each generator makes, a file each, found by its tag.

``generate(model, random) -> (inputs (N, *shape), labels (N, ...))`` in ``TAG.py``, and the lengths
(N,) of inputs that are sequences of different lengths; the fields and the
declared shape and classes are in the spec's model.
"""

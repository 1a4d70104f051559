"""What each generator makes, a file each, found by its tag.

``generate(model, random) -> (inputs (N, *shape), labels (N,) or (N, steps))`` in ``TAG.py``; the
fields and the declared shape and classes are in the spec's model.
"""

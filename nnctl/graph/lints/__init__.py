"""Lints, one function each, by theme; ``nnctl.graph.lint`` finds them."""

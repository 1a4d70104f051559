"""nnctl: train neural networks declared in TOML on the CPU cores of this machine."""

__version__ = "0.1.0"

"""``python -m nnctl`` is the ``nnctl`` command."""

from nnctl.cli.app import main

if __name__ == "__main__":
    main()

"""The command line: thin over ``nnctl.run``; ``app.py`` says how a command is added."""

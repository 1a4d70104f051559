"""The checks that every case runs; each has a sabotage test, which shows that it can fail.

A check takes a *machine*, a function that runs a case under a setting: the engine, or a fake with a
planted fault.
"""

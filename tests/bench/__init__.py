"""The benchmark: the same network, data, optimizer and threads here and in PyTorch, interleaved.

``python -m tests.bench --help`` says how to run it. A workload is a spec file in ``specs/``; the
peer's network is built from the same graph, node by node, with the same first parameters.

    spec file -> Prepared -> Ours                       ours.py
                          -> Work (plain data) -> Peer  work.py, peer/ (the only place with torch)
    both -> losses agree? -> timed in turns -> Row      agreement.py, timing.py, rows.py
"""

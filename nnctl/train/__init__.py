"""Training as a stream of events: state, loop, stopping, monitors. Prints and writes nothing."""

"""What every room stands on: the clock, errors that a person can act on, logs, cancellation."""

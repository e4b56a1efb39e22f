"""The state tables and pure decisions: no I/O, no clock; `now_ms` and ids are arguments."""

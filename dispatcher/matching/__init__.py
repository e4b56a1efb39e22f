"""The matcher: snapshot, solve, check, commit; one market at a time, in a process of its own."""

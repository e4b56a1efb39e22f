"""Commands: a file holds a message and the pure decision about it; `table` leads from one to the other."""

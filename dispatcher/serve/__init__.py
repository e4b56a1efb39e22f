"""Processes: the supervisor, its children, the embedded server and its data folder."""

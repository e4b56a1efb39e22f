"""One file per rule or cost term."""

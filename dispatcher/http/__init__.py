"""HTTP: a file a subject, its routes beside their handlers; one entry for every call."""

"""Blobs: bytes that are too many for the store, in a folder or an object store behind one protocol."""

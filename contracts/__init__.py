"""The wire language: what crosses a boundary."""

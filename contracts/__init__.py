"""The wire language: what crosses a boundary."""

DISTRIBUTION = "dispatcher"  # others may be called so too: `dispatcher` looks at its start

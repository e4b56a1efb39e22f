"""The mathematics: arrays in, arrays out; no network, no log, no patient data.

A solve reads the clock for one thing, the limit that it was given. Files are read and written by commands and
benches only (`save`, `load`) and where the kernels are compiled. The import contract names each such module.
"""

DISTRIBUTION = "dispatcher"  # others may be called so too: `dispatcher` looks at its start

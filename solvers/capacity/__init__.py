"""What the vendors' capacity is to the solvers: one file a kind, all of which answer `supply.Supply`."""

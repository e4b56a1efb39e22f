"""Hot loops in C behind typed numpy wrappers; `ctypes` frees the GIL while they run."""

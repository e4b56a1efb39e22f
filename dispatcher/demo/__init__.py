"""A day played against the real service: a platform and vendors that use only what outsiders can use."""

"""The composition root: settings in, running parts out. A file for each kind of process."""

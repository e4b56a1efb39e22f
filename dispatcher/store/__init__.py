"""The system of record: one script commits, everything else reads. The only importer of redis."""

"""The commands of the service: load, decide, commit; one method each."""

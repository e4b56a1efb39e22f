"""TCRP Report 210 transactional data: XML telegrams with the dispatch centre of a vendor; `docs/tds.md`."""

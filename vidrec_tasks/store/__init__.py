"""Store: artefact names to places, atomic writes, runs, receipts and leases."""

"""The sections of `docs/results.md`, made from the tables under `docs/results` and the definitions of the networks."""

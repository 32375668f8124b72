"""`ppmlctl enclave …`, one file for each command. None of them needs an environment, and only images need an engine."""

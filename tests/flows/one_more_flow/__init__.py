"""A flow that ppmlctl does not have: test_one_more_flow.py puts this folder and one line into a copy of it."""

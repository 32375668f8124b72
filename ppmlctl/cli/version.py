"""The program's version. A constant, since asking the installed package costs a fifth of `--version`'s time."""

VERSION = "0.1.0"

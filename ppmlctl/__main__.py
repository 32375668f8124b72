"""`python -m ppmlctl`"""

from ppmlctl.cli import main

main()

"""`python -m drydock`."""

from drydock.cli import main

main()

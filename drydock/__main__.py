"""`python -m drydock`."""

from drydock.cli import main

if __name__ == "__main__":  # Processes that run hooks import this as well.
    main()

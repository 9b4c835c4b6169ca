"""``python -m shadowshare`` is the command ``shadowshare``."""

from shadowshare.cli import main

if __name__ == "__main__":
    main()

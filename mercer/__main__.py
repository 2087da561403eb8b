"""`python -m mercer` is `mercer`."""

from __future__ import annotations

from mercer.cli import main

if __name__ == "__main__":
    main()

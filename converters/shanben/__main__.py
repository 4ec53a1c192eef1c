"""`python -m shanben` is `shanben`."""

from shanben.cli import main

main()

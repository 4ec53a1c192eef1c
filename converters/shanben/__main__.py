"""`python -m shanben` is `shanben`."""

from shanben.start import main

main()

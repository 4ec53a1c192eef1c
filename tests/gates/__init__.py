"""Outside checkers of the editions: where they are, how they are run, and what to do when one is missing."""

"""Programs that measure how well, and how fast, Shanben works on a folder of cases."""

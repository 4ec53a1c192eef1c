"""The doors to the world outside: disk and other programs. Nothing else touches either."""

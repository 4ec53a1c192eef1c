"""Rules: what they may say (schema), how files are read (load), how they act (apply)."""

"""What an archivist does with a work: pack it, prove it years later, compare two ledgers, take one rule back."""

"""How a file that is not in the native format is read: guessed, shown, answered."""

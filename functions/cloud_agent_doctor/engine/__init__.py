"""How checks run: the account and the stack they look at, what they raise, and what they report."""

"""Two acts at once, in every order that matters.

Each of two callers runs a real service on its own connection. Before each statement, in Python and
inside the functions of the database, a caller stops until it is told to go on. So one interleaving
after the other is tried, each can be repeated, and none is left to chance.
"""

"""Measurements of speed; ``make bench`` prints them as one table.

Every aim is a ratio to something measured in the same run, because absolute
numbers say more about the machine than about the code.
"""

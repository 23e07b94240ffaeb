"""Connections and transactions of our own; what is run on them was compiled before."""

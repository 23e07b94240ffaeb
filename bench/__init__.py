"""Measurements: xrm beside a hand-written service of the same entity. ``python -m bench.run`` prints the ratios.

How to read them, and what is and is not compared: docs/explanation/performance.md.
"""

#!/usr/bin/env python3
"""Prints every bed in which a family comes back too early."""

#!/usr/bin/env python3
"""Answers with the forecast of the next days."""

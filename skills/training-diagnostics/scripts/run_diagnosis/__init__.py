"""What diagnose_run.py is made of: reading logs, naming their columns, features, one rule a fault, the report."""

from run_diagnosis import show
from run_diagnosis.judge import TOOL, diagnose, examine

__all__ = ["TOOL", "diagnose", "examine", "show"]

"""The scripts of the skill are imported by name, as they import each other."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[3] / "skills/training-diagnostics/scripts"
for folder in (str(Path(__file__).resolve().parent), str(SCRIPTS)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

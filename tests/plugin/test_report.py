"""The generated page and tables say what the files and the measurements say now."""

import re
import subprocess
import sys

import report


def test_generated_files_are_current():
    done = subprocess.run([sys.executable, report.__file__, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_tables_name_every_component_once():
    root = report.package()
    for components, table in ((root.agents, report.agents_table()), (root.skills, report.skills_table())):
        named = re.findall(r"^\| \[([\w-]+)\]\(([\w./-]+)\)", table, re.M)
        assert sorted(named) == sorted((one.name, one.rel) for one in components)
        assert all((report.ROOT / path).is_file() for _, path in named)


def test_a_readme_without_the_places_is_refused():
    import pytest

    with pytest.raises(SystemExit, match="0 places for the table of agents"):
        report.filled("# Nothing\n")

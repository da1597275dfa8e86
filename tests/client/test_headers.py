"""The headers that pluglint is tested with, shown to the real client again: it still reads them as recorded."""

from __future__ import annotations

import json

import pytest
from harness import VERSION
from record_headers import FILE, observe

pytestmark = pytest.mark.client

RECORDED = json.loads(FILE.read_text("utf-8"))


@pytest.fixture(scope="module")
def seen(client, tmp_path_factory):
    return {one["case"]: one for one in observe(client, tmp_path_factory.mktemp("headers"), RECORDED["headers"])}


@pytest.mark.parametrize("case", RECORDED["headers"], ids=lambda case: case["case"])
def test_client_reads_the_header_as_recorded(case, seen):
    assert seen[case["case"]] == case


def test_record_is_of_the_pinned_client():
    assert RECORDED["client"] == VERSION, "run tests/client/record_headers.py"

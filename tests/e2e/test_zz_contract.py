"""After all other tests: each operation of proto/openapi.yaml has answered them."""

import pytest
from harness.contract import operations


def test_every_operation_described_has_answered(contract, request):
    if request.config.getoption("keyword"):
        pytest.skip("only some of the tests were run")
    answered = {(method, path) for method, path, status in contract.used if status < 300}
    silent = [f"{method} {path}" for method, path, _ in operations(contract.open)
              if (method, path) not in answered]
    assert not silent
    refused = {(method, path) for method, path, status in contract.used if status == 401}
    assert refused  # the watch sees errors, too

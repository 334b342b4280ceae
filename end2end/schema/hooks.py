"""What schemathesis must know of this API beyond its document. Loaded by name, as SCHEMATHESIS_HOOKS says."""

import os

import schemathesis

# Who asks: deleting or demoting that user, or withdrawing that token, would leave nothing but 401 to test.
OWN_USER = os.environ["OWN_USER"]
OWN_TOKEN = os.environ["OWN_TOKEN"]


@schemathesis.hook
def filter_case(context, case):
    path = case.operation.path
    first = str((case.path_parameters or {}).get("id", "")).strip()
    if path == "/user/{id}" and case.method in ("PUT", "DELETE"):
        return first != OWN_USER
    if path == "/self/token/{id}" and case.method == "DELETE":
        return first != OWN_TOKEN
    return True


@schemathesis.check
def a_server_error_is_a_bmc_that_failed(context, response, case):
    """A BMC that refuses, or does not answer, is 500, 502 or 504; any other such status is a fault of the server."""
    if response.status_code >= 500:
        error = response.json()
        assert error["error_type"] == "BMCError", f"{response.status_code} {error}"


@schemathesis.check
def what_is_no_success_has_the_one_error_body(context, response, case):
    """Also where the document says nothing, as for a method that an address does not take."""
    if response.status_code >= 400 and case.method != "HEAD":
        error = response.json()
        assert error["status"] == response.status_code, error
        assert error["error_type"] and error["title"] and error["detail"], error
        assert error["errors"] and all(error["errors"]), error

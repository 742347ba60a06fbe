"""What is made once for all tests of the command line."""
import pytest
from running import ENV, SMALL, done, lines_of_json, throng


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished small run; tests copy it before they change it."""
    run = str(tmp_path_factory.mktemp("finished") / "run")
    done("train", ENV, *SMALL, "--out", run)
    return run


@pytest.fixture(scope="session")
def has_gpu():
    return any(o["check"].startswith("gpu") for o in lines_of_json(throng("doctor", "--json").stdout))

"""The server that the cluster's tests share."""

import pytest

from tools.milvus_server.environment import obstacle
from tools.milvus_server.server import MilvusServer


@pytest.fixture(scope="session")
def only_server(tmp_path_factory):
    if obstacle():
        pytest.skip(f"no Milvus server here: {obstacle()}")
    with MilvusServer(tmp_path_factory.mktemp("milvus"), impatient=True) as running:
        yield running


@pytest.fixture
def server(only_server):
    """Return the server, which runs, and asks for no password, whatever a test has done to it."""
    only_server.run(authorization=False)
    return only_server

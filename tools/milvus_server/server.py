"""Starting and killing one server."""

import os
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from image_retrieval.errors import InputError
from tools.milvus_server.environment import obstacle, server_python

_STARTS, _SECONDS = 3, 90  # one start of four did not answer; others took up to 46 seconds
# Not one of those that systems give to clients, who might have it when the server comes back.
_PORT = 20530
# What the server looks at every so many milliseconds; it is set up for large clusters.
_IMPATIENT = {
    "PROXY_TIMETICKINTERVAL": "20",
    "QUERYCOORD_CHECKCHANNELINTERVAL": "100",
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "100",
    "QUERYCOORD_CHECKINTERVAL": "100",
    "QUERYCOORD_DISTPULLINTERVAL": "50",
}


class MilvusServer:
    """A Milvus server of one process with its data in a folder; a context manager.

    One at a time: two would want the same port for what they keep their state in.

    Parameters
    ----------
    folder : str or Path
        Data, logs and the program; a second server on it goes on where the first one ended.
    authorization : bool
        Whether clients must say who they are; at first there is only `root:Milvus`.
    impatient : bool
        Whether it looks for work more often than it is set up to, for tests of many small steps.
    """

    def __init__(self, folder, authorization=False, impatient=False):
        self.folder, self._process = Path(folder), None
        self.authorization = authorization
        self._pace = _IMPATIENT if impatient else {}

    @property
    def uri(self):
        """The address for clients, the same after another start."""
        return f"http://127.0.0.1:{_PORT}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.kill()

    def start(self):
        """Start the server and wait until it answers.

        Raises
        ------
        InputError
            When it is not installed, others could reach it, or it does not answer.
        """
        problem = obstacle()
        if problem:
            raise InputError(f"{problem}; run python -m tools.milvus_server COMMAND")
        switch = f"authorization_enabled={str(self.authorization).lower()}"
        prepare = [server_python(), Path(__file__).with_name("prepare.py")]
        prepare += [self.folder, _PORT, switch]
        subprocess.run([str(part) for part in prepare], check=True)
        for _ in range(_STARTS):
            if self._answers_after_launch():
                return
            self.kill()
        raise InputError(f"the Milvus server does not start; see {self.folder / 'logs'}")

    def run(self, authorization):
        """Have the server run and ask for passwords or not, with another start if need be."""
        if self.authorization != authorization:
            self.kill()
        self.authorization = authorization
        if self._process is None:
            self.start()
        self.keep_running()

    def keep_running(self):
        """Start the server again if it has ended on its own, as a supervisor does.

        One that was killed may do so once: it finds what the dead one held, and gives up.
        """
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def kill(self):
        """End the server at once, as if the machine lost power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers_after_launch(self):
        health, end = _free_port(), time.monotonic() + _SECONDS
        self._launch(health)
        while time.monotonic() < end and self._process.poll() is None:
            if _is_well(health):
                return True
            time.sleep(0.2)
        return False

    def _launch(self, health):
        environment = {
            **os.environ,
            **self._pace,
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": str(health),
            "MILVUS_RUN_DIR": str(self.folder / "run"),
            "LD_LIBRARY_PATH": str(self.folder / "bin"),
        }
        program = [str(self.folder / "bin" / "milvus"), "run", "standalone"]
        with (self.folder / "logs" / "output.log").open("ab") as log:
            how = {"cwd": str(self.folder), "env": environment, "stdout": log, "stderr": log}
            self._process = subprocess.Popen(program, **how)


def _is_well(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return b"OK" in answer.read()
    except OSError:
        return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

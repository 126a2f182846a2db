"""Lay out a folder for a server; run by the Python that has the server's package.

usage: python prepare.py FOLDER PORT [SETTING=VALUE ...]
"""

import socket
import sys

import milvus


class Config(milvus.MilvusServerConfig):
    """What sees ports as the server does, to which those of a dead server are free at once."""

    def try_bind_port(self, port):
        """Return a socket that listens there, or None."""
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            return None


def main(folder, port, *settings):
    """Unpack the program into the folder, and write its configuration."""
    config = Config(data_dir=folder, proxy_port=int(port))
    for setting in settings:
        name, value = setting.split("=")
        config.set(name, value == "true")
    config.resolve()
    milvus._initialize_data_files(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])

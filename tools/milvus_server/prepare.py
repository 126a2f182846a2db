"""Lay out a folder for a server; run by the Python that has the server's package.

usage: python prepare.py FOLDER [SETTING=VALUE ...]
"""

import sys

import milvus


def main(folder, *settings):
    """Unpack the program into the folder, and write its configuration."""
    config = milvus.MilvusServerConfig(data_dir=folder)
    for setting in settings:
        name, value = setting.split("=")
        config.set(name, int(value) if value.isdigit() else value == "true")
    config.resolve()
    milvus._initialize_data_files(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])

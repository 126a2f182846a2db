"""A connection to a Ray cluster, and work that is spread over it."""

from __future__ import annotations

import logging
import os
import socket
from typing import Any, Iterator

from image_retrieval.errors import InputError, one_line, printable

_INSTALL = "install the extra: make with-cluster"
# After so many workers have died of a piece of work, it is to blame.
_RETRIES = 3
_PATIENCE = 10  # seconds
_STARTS = 3  # on this machine
# Where this process is. Ray Data keeps handles that a second connection would find dead.
_joined: dict[str, str] = {}


def connect(address: str | None = None) -> Any:
    """Return the module `ray`, connected to a cluster until this process ends.

    Parameters
    ----------
    address : str, optional
        `host:port` of the head, as `ray start --head` prints it, or "local" for this machine
        alone with all its cores. When not given, the environment variable `RAY_ADDRESS`, or
        else "local". A connection that this process made itself is used as it is.

    Raises
    ------
    InputError
        When Ray is not installed, nobody answers there, or the process is connected elsewhere.
    """
    ray = _ray()
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if not ray.is_initialized():
        _reach(address)
        _join(ray, address, _STARTS)
        _joined["address"] = address
    elif _joined.get("address", address) != address:
        problem = f"this process is connected to {_joined['address']}, not {address}"
        raise InputError(f"{problem}; use that, or another process")
    _quiet()
    return ray


def _join(ray, address, attempts):
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises many kinds, and bare ones
        # A busy machine may not start Ray's processes within the time Ray gives them.
        if address != "local" or attempts == 1:
            raise _unreachable(address, error) from None
        ray.shutdown()
        _join(ray, address, attempts - 1)


def _reach(address):
    """Find out in seconds whether anybody listens there; Ray takes a minute."""
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "/" not in host:
        try:
            socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from None


def _unreachable(address, error):
    problem = f"no Ray cluster answers at {address} ({one_line(error)})"
    way_out = "start one with ray start --head, or give local for this machine alone"
    return InputError(f"{problem}; {way_out}")


def spread(
    ray: Any,
    items: list[dict[str, Any]],
    worker: type,
    arguments: tuple[Any, ...],
    workers: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield what workers make of items, in any order, as each is done.

    A worker is an actor of one core, made once. One that dies is made again, and what it was at
    is tried up to three times more. At most a few items are under way for each worker.

    Parameters
    ----------
    ray : module
        As `connect` returns it.
    items : list of dict
        A row of Ray Data each.
    worker : class
        Made of `arguments`; called with a batch of one item, see `ray.data.Dataset.map_batches`,
        it returns one row.
    arguments : tuple
    workers : int, optional
        How many; as many as the cluster has cores, or items, when not given.

    Yields
    ------
    dict
        A row of what the workers return.

    Raises
    ------
    InputError
        When a worker raised one, or an item has killed its worker every time.

    References
    ----------
    https://docs.ray.io/en/latest/data/transforming-data.html#stateful-transforms
    """
    cores = int(ray.cluster_resources().get("CPU", 1))
    workers = max(1, min(workers or cores, cores, len(items)))
    how = ray.data.DataContext.get_current()
    # The latter are bars of the steps, which Ray 2.10 shows all the same.
    how.enable_progress_bars = how.execution_options.verbose_progress = False
    rows = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        _guarded(worker),
        fn_constructor_args=arguments,
        batch_size=1,
        num_cpus=1,
        concurrency=workers,
        max_restarts=-1,
        max_task_retries=_RETRIES,
    )
    try:
        for row in rows.iter_rows():
            if row["problem"]:
                raise InputError(row["problem"])
            yield row
    except ray.exceptions.RayError as error:
        # Its text is the traceback of the worker.
        reason = printable(str(error).strip().splitlines()[-1])
        problem = f"the cluster gave up ({type(error).__name__}: {reason})"
        raise InputError(f"{problem}; the same call goes on from here") from error


def _guarded(worker):
    """Return the class of workers that hand an InputError over, which Ray would not let through."""

    class Guarded(worker):  # type: ignore[valid-type, misc]  # known only when called
        def __call__(self, batch):
            try:
                return {**super().__call__(batch), "problem": [""]}
            except InputError as error:
                return {"problem": [str(error)]}

    return Guarded


def _ray():
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray sends them unless it is told not to
    try:
        import ray
        import ray.data
    except ImportError as error:
        problem = f"work on several machines needs Ray ({one_line(error)})"
        raise InputError(f"{problem}; {_INSTALL}") from None
    return ray


def _quiet():
    """Keep what is no error off the screen; some of Ray's loggers set their own levels later."""
    for name in ("ray", "ray.data"):
        for handler in logging.getLogger(name).handlers:
            handler.setLevel(logging.ERROR)

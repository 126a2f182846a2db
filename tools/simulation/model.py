"""The model: workers take parts, shards take messages, queries visit all shards of a replica.

Time is simpy's, chance is numpy's with a seed, and so a run gives the same figures everywhere.
"""

import math
from dataclasses import dataclass

import numpy as np
import simpy

# More parts or messages than this are simulated as so many larger ones.
_MOST = 20_000


@dataclass(frozen=True)
class Search:
    """How queries fared.

    Attributes
    ----------
    median, slow : float
        Seconds that half of the queries, and 99 of 100, took at most.
    rate : float
        Answers a second.
    """

    median: float
    slow: float
    rate: float


def extraction(n, workers, how, seed=0):
    """Return the hours that workers of one core need, and how many of them died on the way."""
    env, random = simpy.Environment(), np.random.default_rng(seed)
    parts = _portions(n, how.part)
    left, deaths = iter(parts), []

    def worker():
        for part in left:
            while True:
                seconds = part / how.extracted
                alive = random.exponential(how.lifetime)
                if alive >= seconds:
                    yield env.timeout(seconds)
                    break
                # What was done of the part is lost with its worker.
                deaths.append(env.now)
                yield env.timeout(alive + how.restart)

    for _ in range(workers):
        env.process(worker())
    env.run()
    return env.now / 3600, len(deaths)


def insertion(n, writers, shards, how):
    """Return the hours that writers need to send vectors to shards, which take one message each."""
    env = simpy.Environment()
    messages = enumerate(_portions(n, how.batch))
    doors = [simpy.Resource(env) for _ in range(shards)]

    def writer():
        for number, vectors in messages:
            yield env.timeout(how.message * vectors / how.batch)
            with doors[number % shards].request() as turn:
                yield turn
                yield env.timeout(vectors / how.inserted)

    for _ in range(writers):
        env.process(writer())
    env.run()
    return env.now / 3600


def searches(n, shards, replicas, rate, how, queries=2000, share=1.0, seed=0):
    """Simulate queries that come at random, one after the other.

    Parameters
    ----------
    n : int
        Vectors.
    shards : int
        Machines that the vectors are spread over; a query asks all of them.
    replicas : int
        Copies of all shards; a query goes to the one with the shortest queue.
    rate : float
        Queries a second that arrive, as a Poisson process.
    how : Assumptions
    queries : int
    share : float
        Of all their bytes, that a query reads: 1 for brute force, less for an index.
    seed : int

    Returns
    -------
    Search
    """
    env, random = simpy.Environment(), np.random.default_rng(seed)
    machines = [[simpy.Resource(env) for _ in range(shards)] for _ in range(replicas)]
    seconds = share * n / shards / how.scanned
    taken = []

    def ask(machine):
        with machine.request() as turn:
            yield turn
            yield env.timeout(seconds)

    def query():
        start = env.now
        replica = min(machines, key=lambda shards: sum(m.count + len(m.queue) for m in shards))
        yield env.all_of([env.process(ask(machine)) for machine in replica])
        yield env.timeout(how.merged * shards)
        taken.append(env.now - start)

    def arrivals():
        for gap in random.exponential(1 / rate, queries):
            yield env.timeout(gap)
            env.process(query())

    env.process(arrivals())
    env.run()
    return Search(*np.percentile(taken, [50, 99]), rate=len(taken) / env.now)


def machines(n, bytes_per_vector, how):
    """Return how many machines hold the vectors in memory."""
    return max(1, math.ceil(n * bytes_per_vector / how.memory))


def _portions(n, size):
    """Return the sizes of the portions that n things are taken in, at most some thousand."""
    size = max(size, math.ceil(n / _MOST))
    full, rest = divmod(n, size)
    return [size] * full + [rest] * bool(rest)

#!/usr/bin/env python3
"""The suite of the conformance tests in Python; plugin.ts beside it serves the same one.

The wire is that of examples/python-plugin.
"""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../examples/python-plugin/lib"))

import asyncio  # noqa: E402
import gc  # noqa: E402
import weakref  # noqa: E402

from connection import serve  # noqa: E402
from served import ReadableHere, Served, WritableHere, listed, settled  # noqa: E402
from values import UNDEFINED, JsError, Thrown, error  # noqa: E402


class Counter(Served):
    """Counts up from a start."""

    alive = weakref.WeakSet()

    def __init__(self, start):
        self.alive.add(self)
        self.start = start
        self._now = start

    def __str__(self):
        return f"a counter from {self.start}"

    @listed
    def increment(self, by):
        self._now += by
        return self._now

    @listed
    def read(self):
        return self._now


class Sink(Served):
    """A writable stream, and what was written to it."""

    def __init__(self):
        self.stream = WritableHere(self)
        self._chunks = []
        self._closed = False

    def write(self, chunk):
        self._chunks.append(chunk)

    def close(self):
        self._closed = True

    def abort(self, reason):
        self._chunks.append(reason)

    @listed
    def collected(self):
        return self._chunks

    @listed
    def closed(self):
        return self._closed


class Gate(Served):
    """A sink that takes nothing until it is opened."""

    def __init__(self):
        self.stream = WritableHere(self)
        self._opened = asyncio.Event()
        self._taken = 0

    async def write(self, chunk):
        await self._opened.wait()
        self._taken += 1

    def close(self):
        pass

    def abort(self, reason):
        pass

    @listed
    def open(self):
        self._opened.set()

    @listed
    def taken(self):
        return self._taken


class Suite(Served):
    """One method for each promise of the protocol."""

    def __init__(self):
        self._kept = UNDEFINED
        self._held = {}
        self._reader = None
        self._source_read = 0

    @listed
    def echo(self, value):
        return value

    @listed
    def add(self, a, b):
        return a + b

    @listed
    def fail(self, message):
        raise error("RangeError", message, code="E_CONFORMANCE") from error("Error", "the cause")

    @listed
    def throw_value(self, value):
        raise Thrown(value)

    @listed
    async def call_back(self, function, *args):
        return await settled(function(*args))

    @listed
    def make_counter(self, start):
        return Counter(start)

    @listed
    async def increment(self, counter, by):
        return await settled(counter.increment(by))

    @listed
    def start_of(self, counter):
        return counter.start

    @listed
    def make_function(self, prefix):
        def prefixed(text):
            return prefix + text

        return prefixed

    @listed
    def is_same(self, a, b):
        plain = isinstance(a, (str, int, float)) and type(a) is type(b)
        return a is b or (plain and a == b)

    @listed
    def keep(self, value):
        self._kept = value

    @listed
    def kept(self):
        return self._kept

    @listed
    def drop(self):
        self._kept = UNDEFINED

    @listed
    def collect(self):
        gc.collect()

    @listed
    def counters_alive(self, start):
        """How many of the counters made here with this start have not been given up."""
        return sum(counter.start == start for counter in Counter.alive)

    @listed
    async def wait_abort(self, signal):
        reason = await signal.wait()
        return reason.properties["message"] if isinstance(reason, JsError) else reason

    @listed
    async def read_all(self, stream):
        chunks = [chunk async for chunk in stream]
        if chunks and all(isinstance(chunk, (bytes, bytearray)) for chunk in chunks):
            return b"".join(chunks)
        return chunks

    @listed
    def open(self, stream):
        self._reader = stream

    @listed
    async def read_next(self):
        try:
            return {"done": False, "value": await self._reader.__anext__()}
        except StopAsyncIteration:
            return {"done": True}

    @listed
    async def cancel_reading(self, reason):
        await self._reader.cancel(reason)

    @listed
    def make_readable(self, count, size):
        self._source_read = 0

        async def chunks():
            for i in range(count):
                self._source_read += 1
                yield bytes([i % 256]) * size

        return ReadableHere(chunks())

    @listed
    def source_read(self):
        """How many chunks the last readable has taken from its source."""
        return self._source_read

    @listed
    def make_values(self, values):
        async def each():
            for value in values:
                yield value

        return ReadableHere(each())

    @listed
    def make_failing(self, message):
        async def fail():
            yield "before"
            raise error("RangeError", message)

        return ReadableHere(fail())

    @listed
    def make_sink(self):
        return Sink()

    @listed
    def make_cancelled(self):
        async def ones():
            while True:
                yield 1

        def cancelled(reason):
            self._kept = reason

        return ReadableHere(ones(), cancelled)

    @listed
    def make_gate(self):
        return Gate()

    @listed
    async def pipe(self, readable, writable):
        async for chunk in readable:
            await writable.write(chunk)
        await writable.close()

    @listed
    def say_all(self, ui, lines):
        for line in lines:
            ui.say(line)
        return len(lines)

    @listed
    async def hold(self, key):
        self._held[key] = asyncio.get_running_loop().create_future()
        return await self._held[key]

    @listed
    def let_go(self, key, value):
        self._held.pop(key).set_result(value)

    @listed
    def make_bytes(self, length):
        return (bytes(range(251)) * (length // 251 + 1))[:length]

    @listed
    def sum(self, data):
        return sum(data)

    @listed
    def log(self, line):
        print(line, file=sys.stderr, flush=True)

    @listed
    def exit(self, code):
        os._exit(code)

    def not_exported(self):
        return "nobody may call this"


serve({"conformance": {"suite": Suite}})

"""The plugin's side of the connection: the handshake, reading and writing messages, calls in the order of their arrival."""

import asyncio
import json
import os
import queue
import sys
import threading

from references import Exports, Imports, incoming, outgoing
from served import Served, settled
from superjson import Malformed, Reader, Writer
from values import UNDEFINED, Signal, Thrown, error

PROTOCOL = 1
MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_RAW_BYTES = 1024 * 1024 * 1024


def checked_object(pairs):
    """Makes a dict of a JSON object, and rejects the key __proto__, which no message may have."""
    made = dict(pairs)
    if "__proto__" in made:
        raise Malformed("a key __proto__")
    return made


def read_messages(stream, deliver):
    """Passes each message to `deliver` as (written, blobs); at the end None, or a Malformed."""
    try:
        while True:
            line = stream.readline(MAX_LINE_BYTES + 1)
            if len(line) > MAX_LINE_BYTES:
                raise Malformed("a line longer than 64 MiB")
            if not line.endswith(b"\n"):
                return deliver(None)
            if not line.strip():
                continue
            written = json.loads(line, object_pairs_hook=checked_object)
            if not isinstance(written, dict) or not isinstance(written.get("json"), dict):
                raise Malformed("a line that is not a message")
            lengths = written["json"].get("bytes", [])
            if any(length < 0 for length in lengths):
                raise Malformed("a negative length")
            if sum(lengths) > MAX_RAW_BYTES:
                raise Malformed("more than 1 GiB of bytes behind one line")
            blobs = [bytearray(stream.read(length)) for length in lengths]
            if [len(blob) for blob in blobs] != lengths:
                return deliver(None)
            deliver((written, blobs))
    except Malformed as malformed:
        deliver(malformed)
    except (ValueError, TypeError, RecursionError) as cause:
        deliver(Malformed(f"a line that is not a message: {cause}"))


def write_messages(stream, outbox):
    """Writes what is put into the outbox, until a None. Runs in its own thread, so that a full pipe blocks no call."""
    try:
        for parts in iter(outbox.get, None):
            for part in parts:
                stream.write(part)
            if outbox.empty():
                stream.flush()
    except BrokenPipeError:
        os._exit(1)  # the host has exited


class Root(Served):
    """Reference 0: makes components, by kind and name; the name "" stands for any name."""

    def __init__(self, components):
        self._components = components

    def methods(self):
        return {"create": self.create}

    def create(self, kind, name):
        by_name = self._components.get(kind, {})
        make = by_name.get(name, by_name.get(""))
        if make is None:
            raise LookupError(f"this plugin serves no {kind} {name!r}")
        return make()


class Connection:
    """The connection to the host."""

    def __init__(self, components, source, sink):
        self._loop = asyncio.get_running_loop()
        self._root = Root(components)
        self._hello = {
            "hello": "baler",
            "protocols": [PROTOCOL],
            "sdk": "0.1.0",
            "version": "1.0.0",
            "components": {kind: list(names) for kind, names in components.items()},
        }
        self._source, self._sink = source, sink
        self._outbox = queue.SimpleQueue()
        self._calls = {}
        self._last_call = 0
        self._under_way = set()
        self.exports = Exports()
        self.imports = Imports(self, self._released)

    async def run(self):
        """Serves until the host closes the connection. Raises Malformed when the host breaks the protocol."""
        inbox = asyncio.Queue()

        def deliver(message):
            self._loop.call_soon_threadsafe(inbox.put_nowait, message)

        writer = threading.Thread(target=write_messages, args=(self._sink, self._outbox))
        writer.start()
        threading.Thread(target=read_messages, args=(self._source, deliver), daemon=True).start()
        try:
            self._send(self._hello)
            greeting = await self._next(inbox)
            if greeting is None:
                return
            if "refuse" in greeting:
                raise Malformed(greeting["refuse"])
            if greeting.get("welcome") != PROTOCOL:
                raise Malformed(f"not a welcome to protocol {PROTOCOL}: {greeting}")
            while await self._act_on_next(inbox):
                # Lets a call that was just received start before the next message is handled.
                await asyncio.sleep(0)
        finally:
            await self._end()
            self._outbox.put(None)
            writer.join()

    async def _next(self, inbox):
        """Returns the next message, decoded; None at the end."""
        message = await inbox.get()
        if isinstance(message, Malformed):
            raise message
        if message is None:
            return None
        written, blobs = message
        reader = Reader(
            lambda name, json, reader: incoming(name, json, self.exports, self.imports, reader),
            blobs,
        )
        value = reader.read(written)
        self.imports.came(reader.held)
        return value

    def _send(self, message):
        writer = Writer(lambda value, writer: outgoing(value, self.exports, writer))
        try:
            written = writer.write(message)
            if writer.blobs:
                written["json"]["bytes"] = [len(blob) for blob in writer.blobs]
            line = json.dumps(written, separators=(",", ":")).encode()
        except Exception:
            self.exports.unsent(writer.refs)
            raise
        self.exports.sent(writer.refs)
        self._outbox.put([line, b"\n", *writer.blobs])

    def call(self, ref, method, args):
        """Sends a call, and returns a future of its result."""
        self._last_call += 1
        message = {"call": self._last_call, "on": ref, "args": list(args)}
        if method is not None:
            message["method"] = method
        self._send(message)
        future = self._calls[self._last_call] = self._loop.create_future()
        # The failure of a call that nobody awaits is ignored.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        return future

    async def _act_on_next(self, inbox):
        """Handles the next message; returns False at the end. Keeps no reference to a message while it waits, so that its contents can be released."""
        message = await self._next(inbox)
        if message is None:
            return False
        try:
            self._act(message)
        except (KeyError, TypeError) as cause:
            raise Malformed(f"not a message: {cause!r}") from cause
        return True

    def _act(self, message):
        kinds = [kind for kind in ("call", "return", "throw", "release", "abort") if kind in message]
        if len(kinds) != 1:
            raise Malformed(f"not a message: its keys are {', '.join(message)}")
        if kinds[0] == "call":
            task = self._loop.create_task(self._answer(message))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        elif kinds[0] == "release":
            self.exports.release(message["release"], message["count"])
        elif kinds[0] == "abort":
            # A signal that was released here while the abort was in flight is not known any more.
            signal = self.imports.get(message["abort"])
            if signal is not None and not isinstance(signal, Signal):
                raise Malformed(f"an abort of {message['abort']}, which is no signal")
            if signal is not None:
                signal.abort(message.get("reason", UNDEFINED))
        else:
            self._settle(kinds[0], message)

    def _settle(self, kind, message):
        future = self._calls.pop(message[kind], None)
        if future is None:
            raise Malformed(f"an answer to call {message[kind]}, which was not made")
        if future.cancelled():
            return
        if kind == "return":
            future.set_result(message.get("value", UNDEFINED))
        else:
            thrown = message.get("error", UNDEFINED)
            future.set_exception(thrown if isinstance(thrown, Exception) else Thrown(thrown))

    async def _answer(self, message):
        number = message["call"]
        try:
            target = self._target(message.get("on", 0), message.get("method"))
            value = await settled(target(*message.get("args", [])))
            self._send({"return": number, "value": value})
        except Exception as problem:
            self._fail(number, problem.value if isinstance(problem, Thrown) else problem)
            # Its frames hold the arguments, among which may be references to release.
            problem.__traceback__ = None

    def _fail(self, number, thrown):
        try:
            self._send({"throw": number, "error": thrown})
        except (TypeError, ValueError) as cause:
            self._send({"throw": number, "error": error("TypeError", f"what was thrown cannot be sent: {cause}")})

    def _target(self, ref, method):
        """Returns what a call invokes."""
        value = self.exports[ref] if ref else self._root
        if not isinstance(value, Served):
            if method is not None:
                raise error("TypeError", f"reference {ref} is a function and has no method {method}")
            return value
        target = value.methods().get(method)
        if target is None:
            raise error("TypeError", f"{type(value).__name__} has no method {method}")
        return target

    def _released(self, ref, count):
        """Called when a remote object is garbage-collected, in whichever thread does so: sends the release."""
        if count[0] and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._send, {"release": ref, "count": count[0]})

    async def _end(self):
        """Cancels the calls in flight."""
        ended = ConnectionError("the host has closed the connection")
        for signal in self.imports.signals():
            signal.abort(ended)
        for future in self._calls.values():
            if not future.done():
                future.set_exception(ended)
        tasks = list(self._under_way)
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def serve(components):
    """Serves components, {kind: {name: make}}, until the host closes the connection, and exits."""
    # stdout carries the wire, so that print() writes to stderr, which is the log.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    async def run():
        await Connection(components, sys.stdin.buffer, sink).run()

    try:
        asyncio.run(run())
    except Malformed as malformed:
        print(f"the connection was ended: {malformed}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(1)  # immediately, because a thread may still be reading

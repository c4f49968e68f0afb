"""Values that a message can contain and Python does not have. Each has a type of its own, so that it is sent back as it came."""

import asyncio


class Undefined:
    """The type of UNDEFINED, which JavaScript has beside null."""

    def __repr__(self):
        return "undefined"


UNDEFINED = Undefined()


class BigInt(int):
    """An integer of JavaScript's type bigint, which differs from its numbers."""

    def __add__(self, other):
        return BigInt(int(self) + int(other))


class JsSet(list):
    """A set in insertion order. Unlike in Python, its items may be lists and dicts."""


class JsMap(list):
    """A map, as rows [key, value] in insertion order; a key can be anything."""


class Tagged:
    """A value that is only passed on: its annotation and its JSON (a regexp, a URL, a typed array)."""

    def __init__(self, annotation, json):
        self.annotation = annotation
        self.json = json


class Buffer:
    """A typed array or another buffer: its type and its raw bytes."""

    def __init__(self, type_name, data):
        self.type_name = type_name
        self.data = data


class JsError(Exception):
    """An error of JavaScript, with its properties by name: name, message, and perhaps stack, cause, code and others."""

    def __init__(self, properties):
        super().__init__(properties.get("message", ""))
        self.properties = properties

    def __str__(self):
        return f"{self.properties.get('name', 'Error')}: {self.properties.get('message', '')}"


class Thrown(Exception):
    """A value that was thrown in the other process and is not an error."""

    def __init__(self, value):
        super().__init__(repr(value))
        self.value = value


def error(name, message, **others):
    """Makes an error to raise, which has this name in the other process."""
    return JsError({"name": name, "message": message, **others})


class Reference:
    """A value of another process; `ref` is its number there."""

    def __init__(self, connection, ref):
        self._connection = connection
        self._ref = ref


class RemoteFunction(Reference):
    """A function of another process. A call is sent immediately, and returns a future of the result."""

    def __call__(self, *args):
        return self._connection.call(self._ref, None, args)


class RemoteObject(Reference):
    """An object of another process: its fields as they were when it was sent, and methods that send a call and return a future."""

    _fields = {}
    _methods = ()

    def __getattr__(self, name):
        if name in self._methods:
            return lambda *args: self._connection.call(self._ref, name, args)
        if name in self._fields:
            return self._fields[name]
        raise AttributeError(name)


class Signal(Reference):
    """An abort signal. Without a `ref` it was aborted when it was sent."""

    def __init__(self, connection, ref):
        super().__init__(connection, ref)
        self.aborted = False
        self.reason = None
        self._told = asyncio.Event()

    def abort(self, reason):
        """Called once, when its owner aborts it."""
        if not self.aborted:
            self.aborted, self.reason = True, reason
            self._told.set()

    async def wait(self):
        """Waits until the signal is aborted, and returns the reason."""
        await self._told.wait()
        return self.reason


class Readable(Reference):
    """A stream of another process to read: `async for chunk in readable`."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        result = await self._connection.call(self._ref, "read", ())
        if result["done"]:
            raise StopAsyncIteration
        return result["value"]

    def cancel(self, reason):
        return self._connection.call(self._ref, "cancel", (reason,))


class Writable(Reference):
    """A stream of another process to write; awaiting each write applies its back-pressure."""

    def write(self, chunk):
        return self._connection.call(self._ref, "write", (chunk,))

    def close(self):
        return self._connection.call(self._ref, "close", ())

    def abort(self, reason):
        return self._connection.call(self._ref, "abort", (reason,))

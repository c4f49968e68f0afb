"""What a message can hold and Python has no word for, each kind told apart from all others so that it goes back as it came."""

import asyncio


class Undefined:
    """JavaScript's second word for nothing; there is one, UNDEFINED."""

    def __repr__(self):
        return "undefined"


UNDEFINED = Undefined()


class BigInt(int):
    """A whole number that JavaScript keeps apart from its numbers."""

    def __add__(self, other):
        return BigInt(int(self) + int(other))


class JsSet(list):
    """A set in its order. Not Python's: its items may be lists and dicts."""


class JsMap(list):
    """A map as rows [key, value] in their order; a key can be anything."""


class Tagged:
    """A value that is only carried: its annotation and what stood in the JSON (a regexp, a URL, a typed array)."""

    def __init__(self, annotation, json):
        self.annotation = annotation
        self.json = json


class Buffer:
    """An array of numbers, or another buffer, as its type and its raw bytes."""

    def __init__(self, type_name, data):
        self.type_name = type_name
        self.data = data


class JsError(Exception):
    """An error with all its properties by name: name, message, perhaps stack, cause, code and others."""

    def __init__(self, properties):
        super().__init__(properties.get("message", ""))
        self.properties = properties

    def __str__(self):
        return f"{self.properties.get('name', 'Error')}: {self.properties.get('message', '')}"


class Thrown(Exception):
    """Carries a value that was thrown over there though it is no error."""

    def __init__(self, value):
        super().__init__(repr(value))
        self.value = value


def error(name, message, **others):
    """An error to raise here that arrives over there under this name."""
    return JsError({"name": name, "message": message, **others})


class Reference:
    """Something that lives on the other side; `ref` is its number there."""

    def __init__(self, connection, ref):
        self._connection = connection
        self._ref = ref


class RemoteFunction(Reference):
    """A function over there. Calling it sends the call at once and returns a future of what it returns."""

    def __call__(self, *args):
        return self._connection.call(self._ref, None, args)


class RemoteObject(Reference):
    """An object over there: its fields as they were when it was sent, and methods that send a call and return a future."""

    _fields = {}
    _methods = ()

    def __getattr__(self, name):
        if name in self._methods:
            return lambda *args: self._connection.call(self._ref, name, args)
        if name in self._fields:
            return self._fields[name]
        raise AttributeError(name)


class Signal(Reference):
    """Tells when work is to be given up. Without a `ref` it came aborted already."""

    def __init__(self, connection, ref):
        super().__init__(connection, ref)
        self.aborted = False
        self.reason = None
        self._told = asyncio.Event()

    def abort(self, reason):
        """What its owner says, once."""
        if not self.aborted:
            self.aborted, self.reason = True, reason
            self._told.set()

    async def wait(self):
        """Returns the reason, once there is one."""
        await self._told.wait()
        return self.reason


class Readable(Reference):
    """A stream over there to read: `async for chunk in readable`."""

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
    """A stream over there to write to; awaiting each write is the back-pressure."""

    def write(self, chunk):
        return self._connection.call(self._ref, "write", (chunk,))

    def close(self):
        return self._connection.call(self._ref, "close", ())

    def abort(self, reason):
        return self._connection.call(self._ref, "abort", (reason,))

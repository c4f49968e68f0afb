"""Values of this process that the host uses by reference: objects with listed methods, and streams."""

import asyncio
import inspect
import re

from values import UNDEFINED


def listed(method):
    """Lists a method: the host may call it, under its camelCase name."""
    method.exported_as = re.sub("_([a-z])", lambda match: match[1].upper(), method.__name__)
    return method


async def settled(result):
    """Returns the result of a call, and awaits it if it is awaitable."""
    return await result if inspect.isawaitable(result) else result


class Served:
    """Base class of objects that are passed by reference. The host reads their attributes without a leading underscore as fields."""

    kind = "object"

    def methods(self):
        """Returns the listed methods, by their names on the wire."""
        found = {}
        for name, attribute in inspect.getmembers(type(self), inspect.isfunction):
            if hasattr(attribute, "exported_as"):
                found[attribute.exported_as] = getattr(self, name)
        return found

    def fields(self):
        """Returns what the host can read without a call."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class ReadableHere(Served):
    """A stream that the host reads: an async generator, advanced once for each read in flight."""

    kind = "readable"

    def __init__(self, source, cancelled=lambda reason: None):
        self._source = source
        self._cancelled = cancelled
        self._turn = asyncio.Lock()
        self._advancing = None
        self._over = False

    def __aiter__(self):
        return self

    async def __anext__(self):
        """Reads the stream in this process, when the host has sent it back."""
        result = await self.read()
        if result["done"]:
            raise StopAsyncIteration
        return result["value"]

    @listed
    async def read(self, _most=None):
        async with self._turn:
            if self._over:
                return {"done": True}
            self._advancing = asyncio.ensure_future(self._source.__anext__())
            try:
                return {"done": False, "value": await self._advancing}
            except StopAsyncIteration:
                self._over = True
                return {"done": True}
            except asyncio.CancelledError:
                if not self._over:
                    raise
                return {"done": True}

    @listed
    async def cancel(self, reason=UNDEFINED):
        # Reads in flight are answered first, without waiting for a source that has nothing.
        self._over = True
        if self._advancing is not None:
            self._advancing.cancel()
        async with self._turn:
            await self._source.aclose()
            self._cancelled(reason)


class WritableHere(Served):
    """A stream that the host writes: `sink` has write(chunk), close() and abort(reason), which are called one after the other."""

    kind = "writable"

    def __init__(self, sink):
        self._sink = sink
        self._turn = asyncio.Lock()

    @listed
    async def write(self, chunk):
        async with self._turn:
            await settled(self._sink.write(chunk))

    @listed
    async def close(self):
        async with self._turn:
            await settled(self._sink.close())

    @listed
    async def abort(self, reason=UNDEFINED):
        async with self._turn:
            await settled(self._sink.abort(reason))

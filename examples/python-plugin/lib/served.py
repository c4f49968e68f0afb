"""What this side serves by reference: objects whose methods are listed, and streams that live here."""

import asyncio
import inspect
import re

from values import UNDEFINED


def listed(method):
    """Lists a method: the other side may call it, under its camelCase name."""
    method.exported_as = re.sub("_([a-z])", lambda match: match[1].upper(), method.__name__)
    return method


async def settled(result):
    """What a call comes to, whether it returned a value or something to wait for."""
    return await result if inspect.isawaitable(result) else result


class Served:
    """An object that is passed by reference. Its fields are its attributes that have no leading underscore."""

    kind = "object"

    def methods(self):
        """What may be called, by the name that it has on the wire."""
        found = {}
        for name, attribute in inspect.getmembers(type(self), inspect.isfunction):
            if hasattr(attribute, "exported_as"):
                found[attribute.exported_as] = getattr(self, name)
        return found

    def fields(self):
        """What can be read over there without a call."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class ReadableHere(Served):
    """A stream that the other side reads: an async generator, advanced once for each read that is under way."""

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
        """Reads it here, when it has come home."""
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
        # Reads that are under way are answered first, without waiting for a source that has nothing.
        self._over = True
        if self._advancing is not None:
            self._advancing.cancel()
        async with self._turn:
            await self._source.aclose()
            self._cancelled(reason)


class WritableHere(Served):
    """A stream that the other side writes to: `sink` has write(chunk), close() and abort(reason), and sees them one by one."""

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

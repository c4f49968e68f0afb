"""Reference counts in both directions, so that each side keeps what the other side still refers to, and nothing else."""

import weakref

from served import Served
from superjson import Malformed
from values import Readable, RemoteFunction, RemoteObject, Signal, Writable

REMOTE = {
    "function": RemoteFunction,
    "object": RemoteObject,
    "signal": Signal,
    "readable": Readable,
    "writable": Writable,
}


class Export:
    """A value that the host refers to, and the number of messages that it was sent in."""

    def __init__(self, value):
        self.value = value
        self.count = 0


class Exports:
    """The export table. A value keeps its number for as long as the host refers to it."""

    def __init__(self):
        self._last = 0
        self._by_ref = {}
        self._refs = {}

    def __len__(self):
        return len(self._by_ref)

    def __getitem__(self, ref):
        if ref not in self._by_ref:
            raise LookupError(f"there is no reference {ref}")
        return self._by_ref[ref].value

    def ref(self, value):
        """Returns the number of a value, without counting it."""
        if id(value) not in self._refs:
            self._last += 1
            self._refs[id(value)] = self._last
            self._by_ref[self._last] = Export(value)
        return self._refs[id(value)]

    def sent(self, refs):
        """Counts a message that contains these references."""
        for ref in refs:
            self._by_ref[ref].count += 1

    def unsent(self, refs):
        """Removes values that were numbered for a message that could not be encoded."""
        for ref in refs:
            self._forget_if_unheld(ref)

    def release(self, ref, count):
        """Handles a release: the host no longer needs the reference of `count` messages."""
        export = self._by_ref.get(ref)
        if export is None or not 0 < count <= export.count:
            raise Malformed(f"a release of reference {ref}, {count} times, which is more than was sent")
        export.count -= count
        self._forget_if_unheld(ref)

    def _forget_if_unheld(self, ref):
        export = self._by_ref[ref]
        if export.count == 0:
            del self._by_ref[ref]
            del self._refs[id(export.value)]


class Imports:
    """The import table: remote values, for as long as anything here refers to them."""

    def __init__(self, connection, release):
        self._connection = connection
        self._release = release
        self._held = weakref.WeakValueDictionary()
        self._counts = weakref.WeakKeyDictionary()

    def signals(self):
        return [held for held in list(self._held.values()) if isinstance(held, Signal)]

    def get(self, ref):
        return self._held.get(ref)

    def take(self, kind, ref):
        """Returns the remote value of a reference, without counting it."""
        held = self._held.get(ref)
        if held is None:
            held = self._held[ref] = REMOTE[kind](self._connection, ref)
            count = self._counts[held] = [0]
            # Each has its own count: the reference may arrive again, as another
            # object, before the release of this one is sent.
            weakref.finalize(held, self._release, ref, count).atexit = False
        return held

    def came(self, held):
        """Counts a message that contained these."""
        for each in held:
            self._counts[each][0] += 1


def outgoing(value, exports, writer):
    """Returns the custom annotation of a value that is passed by reference, and its JSON."""
    if isinstance(value, Signal) and value._ref is None:
        return "signal", {"aborted": writer.write(value.reason)}
    if isinstance(value, tuple(REMOTE.values())):
        return "yours", {"ref": value._ref}
    if not isinstance(value, Served) and not callable(value):
        raise TypeError(f"a {type(value).__name__} cannot be sent")
    ref = exports.ref(value)
    again = ref in writer.refs
    writer.refs.add(ref)
    if not isinstance(value, Served):
        return "function", {"ref": ref, "name": getattr(value, "__name__", "")}
    if value.kind != "object" or again:
        return value.kind, {"ref": ref}
    json = {
        "ref": ref,
        "class": type(value).__name__,
        "methods": list(value.methods()),
        "fields": writer.write(value.fields()),
    }
    if type(value).__str__ is not object.__str__:
        json["text"] = str(value)
    return "object", json


def incoming(name, json, exports, imports, reader):
    """Returns the value of a custom annotation."""
    if name == "yours":
        return exports[json["ref"]]
    if name not in REMOTE:
        raise ValueError(f"an unknown annotation custom {name}")
    if name == "signal" and "aborted" in json:
        signal = Signal(None, None)
        signal.abort(reader.read(json["aborted"]))
        return signal
    # Made before its fields are decoded, because they may refer to it.
    held = imports.take(name, json["ref"])
    reader.held.add(held)
    if "methods" in json:
        held._methods = json["methods"]
    if "fields" in json:
        held._fields = reader.read(json["fields"])
    return held

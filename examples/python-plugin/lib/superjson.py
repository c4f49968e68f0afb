"""The format of a message: values to superjson's JSON and annotations, and back.

What is passed by reference is not known here: `outgoing(value)` and
`incoming(name, json)` of the connection turn it into `custom` annotations.
"""

import math
import traceback
from datetime import datetime, timezone

from values import UNDEFINED, BigInt, Buffer, JsError, JsMap, JsSet, Tagged

MAX_PASSES = 16  # an object can be inside one that is replaced itself
REFUSED_KEYS = ("__proto__",)


class Malformed(Exception):
    """The host sent something that the protocol does not allow."""


def escape(key):
    return str(key).replace("\\", "\\\\").replace(".", "\\.")


def split(path):
    """Splits a path into its keys."""
    keys, key, characters = [], "", iter(path)
    for character in characters:
        if character == "\\":
            character = next(characters, "")
            if character not in ("\\", "."):
                raise Malformed(f"the path {path!r} has a backslash before neither . nor \\")
            key += character
        elif character == ".":
            keys.append(key)
            key = ""
        else:
            key += character
    return keys + [key]


def error_properties(exception):
    """Returns the properties of a JavaScript error for an exception; its stack begins with the innermost call."""
    if isinstance(exception, JsError):
        properties = dict(exception.properties)
    else:
        properties = {"name": type(exception).__name__, "message": str(exception)}
    if "stack" not in properties and exception.__traceback__:
        calls = reversed(traceback.extract_tb(exception.__traceback__))
        lines = [f"    at {call.name} ({call.filename}:{call.lineno})" for call in calls]
        properties["stack"] = "\n".join([f"{properties['name']}: {properties['message']}", *lines])
    if exception.__cause__ is not None and "cause" not in properties:
        properties["cause"] = exception.__cause__
    return properties


class Writer:
    """Encodes one message: all its values use the same Writer, because they share the raw bytes."""

    def __init__(self, outgoing):
        self._outgoing = outgoing
        self.blobs = []
        self.refs = set()  # the exported references in it

    def write(self, value):
        """Encodes a value as {"json", "meta"?}."""
        places, done = {}, {}
        json, tree = self._walk(value, (), places, done)
        meta = {}
        if tree:
            meta["values"] = tree
        same = self._equalities(places)
        if same:
            meta["referentialEqualities"] = same
        return {"json": json, "meta": {**meta, "v": 1}} if meta else {"json": json}

    def _walk(self, value, path, places, done):
        """Returns the JSON of a value, and the tree of its annotations, which is empty for plain JSON."""
        if value is None or isinstance(value, (bool, str)):
            return value, None
        if value is UNDEFINED:
            return None, ["undefined"]
        if isinstance(value, BigInt):
            return str(int(value)), ["bigint"]
        if isinstance(value, int):
            return value, None
        if isinstance(value, float):
            return self._float(value)
        # `places` keeps the value alive, so that its id is not reused.
        places.setdefault(id(value), (value, []))[1].append(path)
        if id(value) in done:
            return done[id(value)]
        done[id(value)] = (None, None)  # found by an object that contains itself
        annotation, inside = self._shape(value)
        json, inner = self._inside(inside, path, places, done) if isinstance(inside, (dict, list)) else (inside, None)
        if annotation is None:
            tree = inner
        else:
            tree = [annotation, inner] if inner else [annotation]
        done[id(value)] = (json, tree)
        return done[id(value)]

    @staticmethod
    def _float(value):
        if math.isnan(value):
            return "NaN", ["number"]
        if math.isinf(value):
            return ("Infinity" if value > 0 else "-Infinity"), ["number"]
        if value == 0 and math.copysign(1, value) < 0:
            return "-0", ["number"]
        return value, None

    def _shape(self, value):
        """Returns the annotation of a value, and what is encoded in its place (a dict or a list) or written as it is."""
        if isinstance(value, JsSet):
            return "set", list(value)
        if isinstance(value, JsMap):
            return "map", [list(row) for row in value]
        if isinstance(value, dict):
            return None, value
        if isinstance(value, (list, tuple)):
            return None, list(value)
        if isinstance(value, (bytes, bytearray)):
            self.blobs.append(value)
            return ["custom", "bytes"], len(self.blobs) - 1
        if isinstance(value, Buffer):
            self.blobs.append(value.data)
            return ["custom", "buffer"], Leaf(type=value.type_name, bytes=len(self.blobs) - 1)
        if isinstance(value, datetime):
            utc = value.astimezone(timezone.utc)
            return "Date", utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, BaseException):
            return ["custom", "error"], error_properties(value)
        if isinstance(value, Tagged):
            return value.annotation, value.json
        name, json = self._outgoing(value, self)
        return ["custom", name], Leaf(json) if isinstance(json, dict) else json

    def _inside(self, container, path, places, done):
        if isinstance(container, Leaf):
            return dict(container), None
        pairs = container.items() if isinstance(container, dict) else enumerate(container)
        parts, inner = [], {}
        for key, value in pairs:
            if key in REFUSED_KEYS:
                raise ValueError(f"an object with a key {key} cannot be sent")
            json, tree = self._walk(value, path + (key,), places, done)
            parts.append((key, json))
            if isinstance(tree, list):
                inner[escape(key)] = tree
            elif tree:
                inner.update({f"{escape(key)}.{rest}": leaf for rest, leaf in tree.items()})
        return (dict(parts) if isinstance(container, dict) else [json for _, json in parts]), inner

    @staticmethod
    def _equalities(places):
        root, others = None, {}
        for _, paths in places.values():
            first, *rest = [".".join(map(escape, path)) for path in paths]
            if rest and not paths[0]:
                root = rest
            elif rest:
                others[first] = rest
        if root is None:
            return others
        return [root, others] if others else [root]


class Leaf(dict):
    """JSON that is encoded already."""


class Reader:
    """Decodes one message."""

    def __init__(self, incoming, blobs):
        self._incoming = incoming
        self.blobs = blobs
        self.held = set()  # the imported references in it

    def read(self, written):
        """Decodes {"json", "meta"?}."""
        if not isinstance(written, dict) or "json" not in written:
            raise Malformed("a value without its `json`")
        meta = written.get("meta")
        if meta is None:
            return written["json"]
        try:
            value = self._annotate(written["json"], meta.get("values", {}))
            same = meta.get("referentialEqualities", {})
            root, others = ([], same) if isinstance(same, dict) else (same[0], dict(*same[1:]))
            for _ in range(MAX_PASSES):
                if not self._unite(value, root, others):
                    return value
            raise ValueError("equalities without an end")
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise Malformed(f"a `meta` that does not fit its value: {error!r}") from error

    def _unite(self, value, root, others):
        """Puts one object into all places where the sender had one object; returns whether that changed anything."""
        groups = [(value, root)] + [(self._get(value, split(first)), rest) for first, rest in others.items()]
        changed = False
        for one, paths in groups:
            if isinstance(one, (int, float)):
                continue
            for path in paths:
                if self._get(value, split(path)) is not one:
                    self._put(value, split(path), lambda _: one)
                    changed = True
        return changed

    def _annotate(self, value, tree):
        if isinstance(tree, list):
            if len(tree) > 1:
                value = self._annotate(value, tree[1])
            return self._revive(tree[0], value)
        for path, inner in tree.items():
            self._put(value, split(path), lambda part: self._annotate(part, inner))
        return value

    def _revive(self, annotation, json):
        if annotation == "undefined":
            return UNDEFINED
        if annotation == "bigint":
            return BigInt(json)
        if annotation == "Date":
            try:
                return datetime.fromisoformat(json.replace("Z", "+00:00"))
            except ValueError:  # a year outside of Python's range
                return Tagged(annotation, json)
        if annotation == "number":
            return float(json.replace("Infinity", "inf"))
        if annotation == "set":
            return JsSet(json)
        if annotation == "map":
            return JsMap(json)
        if annotation in ("regexp", "URL") or annotation[0] == "typed-array":
            return Tagged(annotation, json)
        if annotation[0] != "custom":
            raise ValueError(f"an unknown annotation {annotation}")
        name = annotation[1]
        if name == "bytes":
            return self.blobs[json]
        if name == "buffer":
            return Buffer(json["type"], self.blobs[json["bytes"]])
        if name == "error":
            return JsError(json)
        return self._incoming(name, json, self)

    @staticmethod
    def _children(value, key):
        """Returns the list or dict that contains what a path's key refers to, and the key in it."""
        if isinstance(value, JsError):
            return value.properties, key
        if isinstance(value, Tagged):
            return value.json, int(key)
        if isinstance(value, dict):
            return value, key
        if isinstance(value, list):
            return value, int(key)
        raise ValueError(f"nothing can be inside of {value!r}")

    def _get(self, value, keys):
        for key in keys:
            inside, key = self._children(value, key)
            value = inside[key]
        return value

    def _put(self, value, keys, change):
        inside, key = self._children(self._get(value, keys[:-1]), keys[-1])
        inside[key] = change(inside[key])

// Objects by reference: which of an object's members cross, and the object
// that stands for it on the other side.

import { isPlainObject, isSendable } from "../value_kind.ts";
import { ProtocolError } from "../protocol.ts";

/** Names that mean something to the language, and that no object may bring along. */
const RESERVED = new Set(["constructor", "__proto__", "prototype", "then"]);

/** The class of objects that were written down. */
const PLAIN = "Object";

/** How many classes of remote objects are remembered. */
const MOST_CLASSES = 1000;

/** How long the names of one that is remembered may be together, in characters. */
const LONGEST_CLASS = 10_000;

/** The members of an object that may be used from another process. */
export interface MemberNames {
  methods: ReadonlySet<string>;
  /** Getters of its class; its own properties change, and are looked at anew. */
  getters: readonly string[];
}

const namesByPrototype = new WeakMap<object, MemberNames>();
const remoteClassNames = new WeakMap<object, string>();

/**
 * The members of an object that cross: those of its classes, and functions
 * among its own properties. Private members (`#name`) cannot be seen, and
 * names that begin with `_` are left at home.
 */
export function memberNames(object: object): MemberNames {
  const inherited = inheritedNames(Object.getPrototypeOf(object));
  const isWhole = isPlainObject(object);
  const own = Object.keys(object).filter((name) =>
    (isWhole ? isRemotableName(name) : crosses(name)) &&
    typeof (object as Record<string, unknown>)[name] === "function"
  );
  return own.length === 0 ? inherited : {
    methods: new Set([...inherited.methods, ...own]),
    getters: inherited.getters,
  };
}

const NO_MEMBERS: MemberNames = { methods: new Set(), getters: [] };

function inheritedNames(prototype: object | null): MemberNames {
  if (prototype === null) return NO_MEMBERS;
  const known = namesByPrototype.get(prototype);
  if (known !== undefined) return known;
  const methods = new Set<string>();
  const getters: string[] = [];
  for (
    let level = prototype;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (
      const [name, member] of Object.entries(
        Object.getOwnPropertyDescriptors(level),
      )
    ) {
      if (!crosses(name)) continue;
      if (typeof member.value === "function") methods.add(name);
      else if (member.get !== undefined) getters.push(name);
    }
  }
  const names = { methods, getters };
  namesByPrototype.set(prototype, names);
  return names;
}

/** Whether a member of an instance crosses. */
function crosses(name: string): boolean {
  return isRemotableName(name) && !name.startsWith("_");
}

/** Whether a member can cross at all; what `toString` says goes as text. */
export function isRemotableName(name: string): boolean {
  return !RESERVED.has(name) && name !== "toString";
}

/**
 * An object's readable fields. One of an instance that cannot be sent, or
 * whose getter throws, is left out: the instance stays where it is, with all
 * of them. A plain object is meant as a whole, and refused as one.
 */
export function readableFields(object: object): Record<string, unknown> {
  const isWhole = isPlainObject(object);
  const fields: Record<string, unknown> = {};
  const names = [
    ...Object.keys(object),
    ...inheritedNames(Object.getPrototypeOf(object)).getters,
  ];
  for (const name of names) {
    if (!(isWhole ? isRemotableName(name) : crosses(name))) continue;
    let value: unknown;
    try {
      value = (object as Record<string, unknown>)[name];
    } catch {
      continue;
    }
    if (typeof value === "function") continue;
    if (isWhole || isSendable(value)) fields[name] = value;
  }
  return fields;
}

/** The name of an object's class, on whichever side that is. */
export function classNameOf(object: object): string {
  if (isPlainObject(object)) return PLAIN;
  const prototype = Object.getPrototypeOf(object);
  const name: unknown = remoteClassNames.get(prototype) ??
    (prototype.constructor?.name || prototype[Symbol.toStringTag]);
  return typeof name === "string" && name !== "" && name !== PLAIN
    ? name
    : "Instance";
}

/** What an object says of itself, where it has a word of its own. */
export function textOf(object: object): string | undefined {
  if (object.toString === Object.prototype.toString) return undefined;
  try {
    const text: unknown = object.toString();
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The function that stands for one on the other side. */
export function remoteFunction(
  name: unknown,
  call: (args: unknown[]) => Promise<unknown>,
): (...args: unknown[]) => Promise<unknown> {
  const remote = (...args: unknown[]) => call(args);
  if (typeof name === "string") {
    Object.defineProperty(remote, "name", { value: name, configurable: true });
  }
  return remote;
}

/** Makes the objects that stand for those of the other side. */
export interface RemoteObjects {
  /** An object with the methods that its description names. */
  create(description: Record<string, unknown>): object;
  /** Gives an object the fields that it has now. */
  setFields(object: object, fields: unknown): void;
}

/**
 * Makes {@linkcode RemoteObjects} for one connection.
 *
 * @param call Calls a method of one of them.
 * @param release Lets one of them go.
 */
export function createStubFactory(
  call: (object: object, method: string, args: unknown[]) => Promise<unknown>,
  release: (object: object) => void,
): RemoteObjects {
  const prototypes = new Map<string, object>();

  function prototypeOf(className: string, methods: string[]): object {
    const key = JSON.stringify([className, methods]);
    const known = prototypes.get(key);
    if (known !== undefined) return known;
    const prototype: object = Object.create(Object.prototype);
    const define = (name: string | symbol, value: unknown) =>
      Object.defineProperty(prototype, name, {
        value,
        writable: true,
        configurable: true,
      });
    for (const name of methods) {
      define(name, function (this: object, ...args: unknown[]) {
        return call(this, name, args);
      });
    }
    // An asynchronous iterator is one on the other side too.
    if (methods.includes("next")) {
      define(Symbol.asyncIterator, function (this: object) {
        return this;
      });
    }
    define(Symbol.dispose, function (this: object) {
      release(this);
    });
    remoteClassNames.set(prototype, className);
    // Programs have few classes; one that has ever new ones gains nothing here.
    if (prototypes.size >= MOST_CLASSES) prototypes.clear();
    if (key.length <= LONGEST_CLASS) prototypes.set(key, prototype);
    return prototype;
  }

  /** One whose methods are its own, and stay with a copy of it. */
  function plainObject(methods: string[]): object {
    const object: Record<string | symbol, unknown> = {};
    for (const name of methods) {
      object[name] = (...args: unknown[]) => call(object, name, args);
    }
    Object.defineProperty(object, Symbol.dispose, {
      value: () => release(object),
      configurable: true,
    });
    return object;
  }

  return {
    create(description) {
      const { class: className = PLAIN, methods = [], text } = description;
      if (
        typeof className !== "string" || !Array.isArray(methods) ||
        !methods.every((name) =>
          typeof name === "string" && isRemotableName(name)
        )
      ) {
        throw new ProtocolError("an object has methods that cannot be");
      }
      const object: object = className === PLAIN
        ? plainObject(methods)
        : Object.create(prototypeOf(className, methods));
      if (typeof text === "string") {
        Object.defineProperty(object, "toString", {
          value: () => text,
          writable: true,
          configurable: true,
        });
      }
      return object;
    },
    setFields(object, fields) {
      if (typeof fields !== "object" || fields === null) {
        throw new ProtocolError("an object's fields are not an object");
      }
      for (const [name, value] of Object.entries(fields)) {
        if (!isRemotableName(name)) {
          throw new ProtocolError(`an object has a field ${name}`);
        }
        Object.defineProperty(object, name, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      }
    },
  };
}

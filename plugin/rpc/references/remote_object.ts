// Objects by reference: which members of an object the peer may use, and the stub
// that stands for it there.

import { isPlainObject, isSendable } from "../value_kind.ts";
import { ProtocolError } from "../protocol.ts";

/** Names with a meaning in JavaScript, which no stub may define. */
const RESERVED = new Set(["constructor", "__proto__", "prototype", "then"]);

/** The class name of plain objects. */
const PLAIN = "Object";

/** The most prototypes of stubs that are cached for a connection. */
const MAX_CACHED_PROTOTYPES = 1000;

/** The longest list of method names of a prototype that is cached, in characters. */
const MAX_CACHED_METHODS_LENGTH = 10_000;

/** The members of an object that the peer may use. */
export interface MemberNames {
  methods: ReadonlySet<string>;
  /** Getters of its class. Its own properties can change, and are read each time. */
  getters: readonly string[];
}

const namesByPrototype = new WeakMap<object, MemberNames>();
const stubClassNames = new WeakMap<object, string>();

/**
 * Returns the members of an object that the peer may use: those of its classes,
 * and functions among its own properties. Private members (`#name`) are
 * invisible here, and names that begin with `_` are private by convention.
 */
export function memberNames(object: object): MemberNames {
  const inherited = inheritedNames(Object.getPrototypeOf(object));
  const isPlain = isPlainObject(object);
  const own = Object.keys(object).filter((name) =>
    (isPlain ? isRemotableName(name) : isPublicName(name)) &&
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
      if (!isPublicName(name)) continue;
      if (typeof member.value === "function") methods.add(name);
      else if (member.get !== undefined) getters.push(name);
    }
  }
  const names = { methods, getters };
  namesByPrototype.set(prototype, names);
  return names;
}

/** Whether the peer may use a member of an instance. */
function isPublicName(name: string): boolean {
  return isRemotableName(name) && !name.startsWith("_");
}

/** Whether a stub can have a member; the result of `toString` is sent as text. */
export function isRemotableName(name: string): boolean {
  return !RESERVED.has(name) && name !== "toString";
}

/**
 * Returns the readable fields of an object. A field of an instance is left out
 * when it cannot be sent or its getter throws: the instance itself stays here,
 * with all of them. A plain object is sent whole or refused.
 */
export function readableFields(object: object): Record<string, unknown> {
  const isPlain = isPlainObject(object);
  const fields: Record<string, unknown> = {};
  const names = [
    ...Object.keys(object),
    ...inheritedNames(Object.getPrototypeOf(object)).getters,
  ];
  for (const name of names) {
    if (!(isPlain ? isRemotableName(name) : isPublicName(name))) continue;
    let value: unknown;
    try {
      value = (object as Record<string, unknown>)[name];
    } catch {
      continue;
    }
    if (typeof value === "function") continue;
    if (isPlain || isSendable(value)) fields[name] = value;
  }
  return fields;
}

/** Returns the name of an object's class, also that of the class that a stub stands for. */
export function classNameOf(object: object): string {
  if (isPlainObject(object)) return PLAIN;
  const prototype = Object.getPrototypeOf(object);
  const name: unknown = stubClassNames.get(prototype) ??
    (prototype.constructor?.name || prototype[Symbol.toStringTag]);
  return typeof name === "string" && name !== "" && name !== PLAIN
    ? name
    : "Instance";
}

/** Returns the result of an object's `toString()`, where it has one of its own. */
export function textOf(object: object): string | undefined {
  if (object.toString === Object.prototype.toString) return undefined;
  try {
    const text: unknown = object.toString();
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the function that stands for one of the peer. */
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

/** Makes the stubs of one connection: objects that stand for those of the peer. */
export interface StubFactory {
  /**
   * Makes an object with the methods of a description.
   *
   * @throws {ProtocolError} When the description is invalid.
   */
  create(description: Record<string, unknown>): object;
  /**
   * Sets the fields of an object to those of a message.
   *
   * @throws {ProtocolError} When the fields are invalid.
   */
  setFields(object: object, fields: unknown): void;
}

/**
 * Makes the {@linkcode StubFactory} of a connection.
 *
 * @param call Calls a method of a stub.
 * @param release Releases a stub, when it is disposed of.
 */
export function createStubFactory(
  call: (object: object, method: string, args: unknown[]) => Promise<unknown>,
  release: (object: object) => void,
): StubFactory {
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
    // An iterator becomes an asynchronous one, since its methods return promises.
    if (methods.includes("next")) {
      define(Symbol.asyncIterator, function (this: object) {
        return this;
      });
    }
    define(Symbol.dispose, function (this: object) {
      release(this);
    });
    stubClassNames.set(prototype, className);
    // A program has few classes. One that makes classes at run time gains nothing
    // from the cache, and must not fill it.
    if (prototypes.size >= MAX_CACHED_PROTOTYPES) prototypes.clear();
    if (key.length <= MAX_CACHED_METHODS_LENGTH) prototypes.set(key, prototype);
    return prototype;
  }

  /** Makes a stub whose methods are own properties, so that a copy of it has them. */
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
      if (typeof className !== "string") {
        throw new ProtocolError("invalid object: `class` must be a string");
      }
      if (
        !Array.isArray(methods) ||
        !methods.every((name) =>
          typeof name === "string" && isRemotableName(name)
        )
      ) {
        throw new ProtocolError(
          "invalid object: `methods` must be a list of names that are not reserved",
        );
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
        throw new ProtocolError("invalid object: `fields` must be an object");
      }
      for (const [name, value] of Object.entries(fields)) {
        if (!isRemotableName(name)) {
          throw new ProtocolError(
            `invalid object: reserved field name "${name}"`,
          );
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

// Stubs: the functions and objects that stand for those of the peer.

import { ProtocolError } from "../protocol.ts";
import {
  isRemotableName,
  PLAIN_CLASS,
  setStubClassName,
} from "./object_members.ts";

/** The most prototypes of stubs that are cached for a connection. */
const MAX_CACHED_PROTOTYPES = 1000;

/** The longest list of method names of a prototype that is cached, in characters. */
const MAX_CACHED_METHODS_LENGTH = 10_000;

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
    setStubClassName(prototype, className);
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
      const { class: className = PLAIN_CLASS, methods = [], text } =
        description;
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
      const object: object = className === PLAIN_CLASS
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

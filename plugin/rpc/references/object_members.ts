// The members of an object that the peer may use, and how an object is described.

import { isPlainObject, isSendable } from "../value_kind.ts";

/** Names with a meaning in JavaScript, which no stub may define. */
const RESERVED = new Set(["constructor", "__proto__", "prototype", "then"]);

/** The class name of plain objects. */
export const PLAIN_CLASS = "Object";

/** The members of an object that the peer may use. */
export interface MemberNames {
  methods: ReadonlySet<string>;
  /** Getters of its class. Its own properties can change, and are read each time. */
  getters: readonly string[];
}

const namesByPrototype = new WeakMap<object, MemberNames>();
/** The names of the classes that the prototypes of stubs stand for. */
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
  if (isPlainObject(object)) return PLAIN_CLASS;
  const prototype = Object.getPrototypeOf(object);
  const name: unknown = stubClassNames.get(prototype) ??
    (prototype.constructor?.name || prototype[Symbol.toStringTag]);
  return typeof name === "string" && name !== "" && name !== PLAIN_CLASS
    ? name
    : "Instance";
}

/** Sets the name of the class that the prototype of stubs stands for. */
export function setStubClassName(prototype: object, name: string): void {
  stubClassNames.set(prototype, name);
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

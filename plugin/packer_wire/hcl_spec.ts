// The specification of a configuration, as hcldec has it: what an HCL2 template
// may say to a component.

/** The type of an attribute: what both encodings can say. */
export type CtyType =
  | "string"
  | "number"
  | "bool"
  | { readonly list: CtyType }
  | { readonly map: CtyType };

/** `name = value`. */
export interface AttrSpec {
  readonly kind: "attr";
  readonly name: string;
  readonly type: CtyType;
  readonly required: boolean;
}

/** `name { ... }`, once. */
export interface BlockSpec {
  readonly kind: "block";
  readonly name: string;
  readonly nested: ObjectSpec;
  readonly required: boolean;
}

/** `name { ... }`, any number of times. */
export interface BlockListSpec {
  readonly kind: "block_list";
  readonly name: string;
  readonly nested: ObjectSpec;
}

/** The attributes and blocks of a configuration or a block, by name. */
export interface ObjectSpec {
  readonly kind: "object";
  readonly attributes: Readonly<Record<string, Spec>>;
}

/** Any part of a specification. */
export type Spec = AttrSpec | BlockSpec | BlockListSpec | ObjectSpec;

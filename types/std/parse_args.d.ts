/** Of the options of @std/cli's parseArgs, those that are used here. */
export interface ParseOptions<
  B extends string,
  S extends string,
  C extends string,
> {
  boolean?: readonly B[];
  string?: readonly S[];
  collect?: readonly C[];
  alias?: Record<string, string | string[]>;
  default?: Record<string, unknown>;
  /** Called for each argument that is not declared; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
export type Args<B extends string, S extends string, C extends string> =
  & { [K in B]: boolean }
  & {
    [K in Exclude<S, "_">]: K extends C ? string[] : string | undefined;
  }
  & { _: (string | number)[] };
export declare function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
>(
  args: readonly string[],
  options?: ParseOptions<B, S, C>,
): Args<B, S, C>;

export declare const DELIMITER: ":" | ";";
export declare const SEPARATOR: "/" | "\\";
export interface ParsedPath {
  root: string;
  dir: string;
  base: string;
  ext: string;
  name: string;
}
export declare function basename(path: string | URL, suffix?: string): string;
export declare function dirname(path: string | URL): string;
export declare function fromFileUrl(url: string | URL): string;
export declare function isAbsolute(path: string): boolean;
export declare function join(path?: string | URL, ...paths: string[]): string;
export declare function parse(path: string): ParsedPath;
export declare function relative(from: string, to: string): string;
export declare function resolve(...paths: string[]): string;
export declare function extname(path: string | URL): string;

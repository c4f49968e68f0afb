// The notation of boot commands.

import { assertEquals, assertThrows } from "@std/assert";
import { parseBootCommand } from "../../plugin/builder/mod.ts";

/** The actions in a short form: `a`, `shift+a`, `+ctrl`, `-ctrl`, `500ms`. */
function short(text: string): string[] {
  return parseBootCommand(text).map((action) =>
    action.kind === "press"
      ? action.keys.join("+")
      : action.kind === "wait"
      ? `${action.milliseconds}ms`
      : `${action.kind === "down" ? "+" : "-"}${action.key}`
  );
}

Deno.test("parseBootCommand() reads characters and special keys", () => {
  assertEquals(short("aZ 9~"), [
    "a",
    "shift+z",
    "spc",
    "9",
    "shift+grave_accent",
  ]);
  assertEquals(short("<esc><Enter><f1><f12><spacebar><pageUp>"), [
    "esc",
    "ret",
    "f1",
    "f12",
    "spc",
    "pgup",
  ]);
  assertEquals(short("a<b>"), ["a", "shift+comma", "b", "shift+dot"]);
  assertEquals(short("<nothing>")[0], "shift+comma");
});

Deno.test("parseBootCommand() reads pauses", () => {
  assertEquals(short("<wait><wait5><wait10><wait1m30s><wait1.5s><wait100ms>"), [
    "1000ms",
    "5000ms",
    "10000ms",
    "90000ms",
    "1500ms",
    "100ms",
  ]);
});

Deno.test("parseBootCommand() holds keys and lets them go", () => {
  assertEquals(short("<leftCtrlOn>c<leftCtrlOff><f1On><f1Off><aOn><aOff>"), [
    "+ctrl",
    "c",
    "-ctrl",
    "+f1",
    "-f1",
    "+a",
    "-a",
  ]);
});

Deno.test("parseBootCommand() refuses what is on no keyboard", () => {
  assertThrows(
    () => parseBootCommand("aä"),
    Error,
    'boot_command has "ä" at character 2',
  );
});

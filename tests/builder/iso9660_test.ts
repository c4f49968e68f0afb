// Images for cd_files, read back by other programs.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  type ImageFile,
  iso9660,
} from "../../plugin/builder/images/iso9660.ts";
import { run } from "../support/sshd.ts";

function file(path: string, content: string): ImageFile {
  const bytes = new TextEncoder().encode(content);
  return { path, size: bytes.length, content: () => [bytes] };
}

const files = [
  file("user-data", "#cloud-config\n"),
  file("meta-data", "instance-id: x\n"),
  file("a directory/deeper/Äöü.txt", "x".repeat(5000)),
  file("a directory/empty", ""),
  ...Array.from(
    { length: 100 },
    (_, index) =>
      file(`many/a file with a long name ${index}.conf`, String(index)),
  ),
];

for (const program of ["bsdtar", "isoinfo"]) {
  const isThere = await run("sh", "-c", `command -v ${program}`)
    .then(() => true, () => false);
  Deno.test({
    name: `iso9660() makes an image that ${program} reads${
      isThere ? "" : ` (skipped: ${program} is not installed)`
    }`,
    ignore: !isThere,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        const image = join(directory, "seed.iso");
        await Deno.writeFile(
          image,
          ReadableStream.from(iso9660({ label: "cidata", files })),
        );
        if (program === "bsdtar") {
          await Deno.mkdir(join(directory, "all"));
          await run("bsdtar", "-xf", image, "-C", join(directory, "all"));
        } else {
          const { stdout } = await new Deno.Command("isoinfo", {
            args: ["-d", "-i", image],
          }).output();
          const said = new TextDecoder("latin1").decode(stdout);
          assertMatch(said, /Volume id: cidata/);
          assertMatch(said, /Joliet with UCS level 3 found/);
        }
        for (const { path, content } of files) {
          // isoinfo takes no name that is not in its own character set.
          if (program === "isoinfo" && /[^ -~]/.test(path)) continue;
          const [bytes] = [...content() as Iterable<Uint8Array>];
          const read = program === "bsdtar"
            ? await Deno.readTextFile(join(directory, "all", path))
            : await run(
              "isoinfo",
              "-J",
              "-i",
              image,
              "-x",
              `/${path};1`,
            );
          assertEquals(read, new TextDecoder().decode(bytes), path);
        }
        if (program === "isoinfo") {
          // The names of ISO 9660 itself, for whom Joliet is foreign.
          const { length } = (await run("isoinfo", "-f", "-i", image)).trim()
            .split("\n");
          assertEquals(length, files.length + 3);
        }
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

Deno.test("iso9660() makes the same image of the same files", async () => {
  const bytes = async () =>
    (await Array.fromAsync(iso9660({ label: "x", files }))).map((
      part,
    ) => [...part]);
  assertEquals(await bytes(), await bytes());
});

Deno.test("iso9660() refuses what does not fit, and files that change", async () => {
  const make = (label: string, ...files: ImageFile[]) => () =>
    Array.fromAsync(iso9660({ label, files }));
  await assertRejects(make("a label that is too long"), Error, "at most 16");
  await assertRejects(make("x", file("a/../b", "")), Error, "is not a path");
  await assertRejects(make("x", file("a:b", "")), Error, "cannot be a name");
  await assertRejects(make("x", file("y".repeat(65), "")), Error, "at most 64");
  await assertRejects(
    make("x", file("a", ""), file("a", "")),
    Error,
    "two files",
  );
  await assertRejects(
    make("x", file("a", ""), file("a/b", "")),
    Error,
    "a file and a directory",
  );
  await assertRejects(
    make("x", { path: "a", size: 3, content: () => [new Uint8Array(2)] }),
    Error,
    "a has changed while the image was written: 2 bytes instead of 3",
  );
});

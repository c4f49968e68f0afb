// The output of `fix` for templates that were written for an older Packer.

import type { ParityCase } from "../case.ts";
import { aFile, nothing, packed, validate } from "./parts.ts";

const applyFixes = (
  name: string,
  template: unknown,
  ...flags: string[]
): ParityCase => ({
  name,
  template,
  args: ["fix", ...flags, "template.json"],
});

const oldKeys = {
  ssh_key_path: "key",
  ssh_wait_timeout: "5m",
  ssh_disable_agent: true,
};

/** The cases. */
export const fixes: readonly ParityCase[] = [
  {
    ...applyFixes("fix-nothing", {
      variables: { b: "1", a: null },
      builders: [aFile({ content: 'a "quoted" <text> of é\n' })],
      provisioners: [],
      _comment: "stays",
    }),
    sample: true,
  },
  applyFixes("fix-numbers", {
    builders: [nothing({ a: 1.5, b: 1e21, c: -3, d: true, e: null })],
  }),
  applyFixes(
    "fix-duplicate-keys",
    '{"builders": [], "builders": [{"type": "null"}]}',
  ),
  {
    ...applyFixes(
      "fix-manifest-filename",
      packed(
        "manifest",
        { type: "manifest", filename: "a.json" },
        [
          { type: "manifest", filename: "b.json", output: "c.json" },
          "checksum",
        ],
        { type: "manifest", filename: 5 },
        { type: "checksum", filename: "d" },
      ),
    ),
    sample: true,
  },
  applyFixes("fix-ssh", {
    builders: [nothing(oldKeys), aFile(oldKeys)],
  }),
  applyFixes("fix-ssh-both", {
    builders: [nothing({ ...oldKeys, ssh_timeout: "1s" })],
  }),
  applyFixes("fix-ssh-wrong-types", {
    builders: [nothing({
      ssh_key_path: 1,
      ssh_wait_timeout: 5,
      ssh_disable_agent: "yes",
    })],
  }),
  applyFixes("fix-clean-image-name", {
    builders: [
      aFile({
        content: "{{clean_ami_name `a`}} {{clean_image_name `b`}}",
        map: { deep: "{{clean_ami_name `c`}}", n: 1 },
        list: ["{{clean_ami_name `d`}}"],
      }),
    ],
    provisioners: [{ type: "shell", inline: "{{clean_ami_name `e`}}" }],
  }),
  applyFixes(
    "fix-not-validated",
    { builders: [{ type: "null" }], x: 1 },
    "-validate=false",
  ),
  applyFixes("fix-of-a-plugin-that-is-not-there", {
    builders: [{ type: "no-such", ssh_key_path: "k" }],
  }),
  ...Object.entries({
    ssh_key_path: "k",
    ssh_disable_agent: true,
  }).map(([key, value]): ParityCase => ({
    name: `fix-is-named-where-${key}-is-refused`,
    template: { builders: [nothing({ [key]: value })] },
    args: validate(),
    messageParts: [key, "r fix"],
  })),
  {
    name: "fix-is-named-where-the-manifests-filename-is-refused",
    template: packed({ type: "manifest", filename: "m.json" }),
    args: validate(),
    messageParts: ["filename", "r fix"],
  },
  {
    name: "fix-invalid",
    template: { builders: [{ type: "null" }], x: 1 },
    args: ["fix", "-machine-readable", "template.json"],
    messageParts: ["Unknown root level key in template: 'x'"],
  },
  {
    name: "fix-no-builder",
    template: { builders: [], variables: { a: "1" } },
    args: ["fix", "-machine-readable", "template.json"],
    messageParts: ["at least one builder must be defined"],
  },
  {
    name: "fix-list",
    template: [],
    args: ["fix", "-machine-readable", "template.json"],
    messageParts: ["template"],
  },
  {
    name: "fix-builders-text",
    template: { builders: "x" },
    args: ["fix", "-machine-readable", "-validate=false", "template.json"],
    messageParts: ["source data must be an array or slice"],
  },
  {
    name: "fix-post-processors-map",
    template: { "post-processors": { type: "manifest" } },
    args: ["fix", "-machine-readable", "-validate=false", "template.json"],
    messageParts: ["'post-processors': source data must be an array or slice"],
  },
  {
    name: "fix-no-json",
    template: "x",
    args: ["fix", "-machine-readable", "template.json"],
    messageParts: ["template"],
  },
  {
    ...applyFixes("fix-ampersands", {
      builders: [nothing()],
      provisioners: [{ type: "shell-local", inline: "a && b" }],
    }),
    differs: { why: "fix-text", ok: true, messageParts: ["a && b"] },
  },
  {
    ...applyFixes("fix-of-other-plugins", {
      builders: [nothing({ iso_md5: "x" })],
    }),
    differs: {
      why: "fixes-of-other-plugins",
      ok: true,
      messageParts: ["iso_md5"],
    },
  },
];

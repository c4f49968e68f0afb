// The builders file and null: every option, and what they refuse.

import type { ParityCase } from "../case.ts";
import { aFile, build, local, nothing, validate } from "./parts.ts";

/** The cases. */
export const builders: readonly ParityCase[] = [
  { name: "file-content", template: { builders: [aFile()] }, sample: true },
  {
    name: "file-source",
    template: {
      builders: [{ type: "file", source: "in.bin", target: "out.bin" }],
    },
    files: { "in.bin": "line\r\nlast without an end" },
  },
  {
    name: "file-new-folders",
    template: { builders: [aFile({ target: "one/two/a.txt" })] },
  },
  {
    name: "file-over-old",
    template: { builders: [aFile({ target: "old.txt" })] },
    files: { "old.txt": "an old and much longer text" },
  },
  {
    name: "file-neither-content-nor-source",
    template: { builders: [{ type: "file", target: "empty.txt" }] },
  },
  {
    name: "file-warning-in-validate",
    template: { builders: [{ type: "file", target: "empty.txt" }] },
    args: validate(),
  },
  {
    name: "file-no-target",
    template: { builders: [{ type: "file", content: "x" }] },
    messageParts: ["target required"],
  },
  {
    name: "file-content-and-source",
    template: { builders: [aFile({ source: "in" })] },
    files: { in: "x" },
    messageParts: ["cannot specify source file and content"],
  },
  {
    name: "file-source-is-target",
    template: {
      builders: [{ type: "file", source: "a.txt", target: "a.txt" }],
    },
    files: { "a.txt": "kept?" },
    differs: {
      why: "source-is-target",
      ok: false,
      messageParts: ["same file"],
      files: [],
    },
  },
  {
    name: "file-source-missing",
    template: { builders: [{ type: "file", source: "gone", target: "out" }] },
    messageParts: ["open gone: no such file or directory"],
  },
  {
    name: "file-target-is-folder",
    template: { builders: [aFile({ target: "sub" })] },
    files: { "sub/x": "" },
    messageParts: ["sub", "is a directory"],
  },
  {
    name: "file-unknown-key",
    template: { builders: [aFile({ contents: "x" })] },
    messageParts: ["unknown", "contents"],
  },
  {
    name: "file-number-as-content",
    template: { builders: [aFile({ content: 12 })] },
  },
  {
    name: "file-true-as-content",
    template: { builders: [aFile({ content: true })] },
  },
  {
    name: "file-float-as-content",
    template: { builders: [aFile({ content: 1.5 })] },
  },
  {
    name: "file-null-as-content",
    template: { builders: [aFile({ content: null })] },
  },
  {
    name: "file-list-as-content",
    template: { builders: [aFile({ content: ["x", "y"] })] },
    messageParts: ["content"],
  },
  {
    name: "file-object-as-content",
    template: { builders: [aFile({ content: { x: "y" } })] },
    messageParts: ["content"],
  },
  {
    name: "file-key-in-another-case",
    template: { builders: [{ type: "file", Content: "x", TARGET: "a.txt" }] },
  },
  {
    name: "file-unicode",
    template: {
      builders: [
        aFile({ content: "ü, 日本 \u0001 \u2028 😀", target: "ä 1.txt" }),
      ],
    },
  },
  { name: "null-none", template: { builders: [nothing()] } },
  {
    name: "null-unknown-key",
    template: { builders: [nothing({ foo: 1, bar: 2 })] },
    messageParts: ["unknown", "foo", "bar"],
  },
  {
    name: "null-ssh-options-with-none",
    template: {
      builders: [
        nothing({
          ssh_host: "example.com",
          ssh_username: "root",
          ssh_password: "x",
        }),
      ],
    },
    args: validate(),
    differs: {
      why: "warnings-of-options-without-effect",
      ok: true,
      messageParts: ["ssh_host", "does nothing"],
    },
  },
  ...Object.entries({
    ssh_port: "x",
    ssh_timeout: "5",
    ssh_pty: "perhaps",
    ssh_host: ["a"],
    ssh_ciphers: [{}],
    winrm_use_ssl: "x",
    temporary_key_pair_bits: "many",
  }).map(([key, value]): ParityCase => ({
    name: `null-malformed-${key}-with-none`,
    template: { builders: [nothing({ [key]: value })] },
    args: validate(),
    messageParts: [key],
  })),
  {
    name: "null-older-ssh-options-with-none",
    template: {
      builders: [
        nothing({ ssh_wait_timeout: "5m", ssh_key_exchange_algorithms: ["x"] }),
      ],
    },
    args: validate(),
    differs: {
      why: "warnings-of-options-without-effect",
      ok: true,
      messageParts: ["ssh_wait_timeout", "does nothing"],
    },
  },
  {
    name: "null-ssh",
    template: {
      builders: [{
        type: "null",
        ssh_host: "127.0.0.1",
        ssh_username: "u",
        ssh_password: "p",
      }],
    },
    args: validate(),
    differs: {
      why: "communicators",
      ok: false,
      messageParts: ["ssh", "not in this baler"],
    },
  },
  {
    name: "null-ssh-without-host",
    template: { builders: [{ type: "null" }] },
    args: validate(),
    differs: {
      why: "communicators",
      ok: false,
      messageParts: ["ssh", "not in this baler"],
    },
  },
  {
    name: "null-unknown-communicator",
    template: { builders: [nothing({ communicator: "carrier-pigeon" })] },
    messageParts: ["communicator", "carrier-pigeon"],
  },
  {
    name: "null-local",
    template: { builders: [nothing({ communicator: "local" })] },
    args: validate(),
    differs: { why: "communicator-local", ok: true, messageParts: ["valid"] },
  },
  {
    name: "unknown-builder",
    template: { builders: [{ type: "nul" }] },
    messageParts: ["failed to initialize build", "unknown builder nul"],
  },
  {
    name: "target-a-folder",
    template: { builders: [aFile({ target: "dir/" })] },
    files: { "dir/x": "x" },
    messageParts: ["open dir/: is a directory"],
  },
  {
    name: "source-a-folder",
    template: { builders: [aFile({ content: "", source: "dir" })] },
    files: { "dir/x": "x" },
    differs: {
      why: "failed-file-builder",
      ok: false,
      messageParts: ["Copying dir to a.txt", "is a directory"],
      files: [],
    },
  },
  {
    name: "unknown-builder-among-others",
    template: {
      builders: [
        aFile({ name: "z" }),
        { type: "unheard-of", name: "m" },
        nothing({ name: "a", communicator: "carrier-pigeon" }),
      ],
      provisioners: [local("touch provisioned")],
    },
    messageParts: [
      'failed to initialize build "m"',
      "unknown builder unheard-of",
    ],
    sample: true,
  },
  {
    name: "unknown-provisioner-of-one-of-two",
    template: {
      builders: [aFile({ name: "with" }), nothing({ name: "without" })],
      provisioners: [{ type: "shel", only: ["with"] }],
    },
    messageParts: [
      'failed to initialize build "with"',
      "unknown provisioner shel",
    ],
  },
  {
    name: "unknown-post-processor-of-one-of-two",
    template: {
      builders: [aFile({ name: "with" }), nothing({ name: "without" })],
      "post-processors": [["checksum", {
        type: "manifesto",
        except: ["without"],
      }]],
    },
    messageParts: ['failed to initialize build "with"', "manifesto"],
  },
  {
    name: "unknown-post-processor-that-is-excepted",
    template: {
      builders: [aFile()],
      "post-processors": [["checksum", "manifesto"]],
    },
    args: build("-except=manifesto"),
  },
  {
    name: "several-builders-in-order",
    template: {
      builders: [
        aFile({ name: "b", target: "b.txt" }),
        aFile({ name: "a" }),
        nothing({ name: "c" }),
      ],
      provisioners: [local("echo $PACKER_BUILD_NAME/$PACKER_BUILDER_TYPE")],
    },
    args: build("-parallel-builds=1"),
    unordered: true,
  },
  {
    name: "side-by-side",
    template: {
      builders: ["a", "b", "c"].map((name) =>
        aFile({ name, target: `${name}.txt` })
      ),
      "post-processors": ["checksum"],
    },
    unordered: true,
    sample: true,
  },
  {
    name: "one-of-two-fails",
    template: {
      builders: [
        { type: "file", name: "bad", source: "gone", target: "x" },
        aFile({ name: "good" }),
      ],
    },
    unordered: true,
    messageParts: ["some builds didn't complete", "gone", "bad"],
  },
  {
    name: "one-of-two-cannot-be-prepared",
    template: {
      builders: [{ type: "file", name: "bad" }, aFile({ name: "good" })],
    },
    messageParts: ["bad", "target required"],
  },
  {
    name: "target-in-the-way-of-a-folder",
    template: { builders: [aFile({ target: "plain/a.txt" })] },
    files: { plain: "a file" },
    messageParts: ["plain", "not a directory"],
  },
];

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
  { name: "null-ssh", template: { builders: [ssh()] }, args: validate() },
  {
    name: "null-ssh-without-anything",
    template: { builders: [{ type: "null" }] },
    args: validate(),
    messageParts: [
      "ssh_username must be specified",
      "a Host must be specified",
      "one authentication method must be specified",
    ],
  },
  ...Object.entries<
    [config: Record<string, unknown>, ...messageParts: string[]]
  >({
    "agent": [{ ssh_password: "", ssh_agent_auth: true }],
    "no-authentication": [
      { ssh_password: "" },
      "one authentication method must be specified",
    ],
    "two-authentications": [
      { ssh_agent_auth: true },
      "only one of ssh_agent_auth",
    ],
    "no-key-file": [
      { ssh_private_key_file: "gone", ssh_password: "" },
      "ssh_private_key_file is invalid: stat gone: no such file or directory",
    ],
    "key-file-without-key": [
      { ssh_private_key_file: "template.json", ssh_password: "" },
      "ssh_private_key_file is invalid",
      "no key found",
    ],
    "file-transfer-method": [
      { ssh_file_transfer_method: "ftp" },
      "ssh_file_transfer_method ('ftp') is invalid",
    ],
    "sftp": [{ ssh_file_transfer_method: "sftp" }],
    "local-tunnel": [
      { ssh_local_tunnels: ["80"] },
      "ssh_local_tunnels ('80') is invalid",
    ],
    "remote-tunnel": [
      { ssh_remote_tunnels: ["1:host:z"] },
      "ssh_remote_tunnels",
      "is invalid",
    ],
    "tunnels": [{
      ssh_local_tunnels: ["8080:host:80"],
      ssh_remote_tunnels: ["8081:host:81"],
    }],
    "bastion-without-authentication": [
      { ssh_bastion_host: "b" },
      "ssh_bastion_password or ssh_bastion_private_key_file must be specified",
    ],
    "bastion": [{
      ssh_bastion_host: "b",
      ssh_bastion_username: "u",
      ssh_bastion_password: "p",
    }],
    "bastion-with-agent": [{
      ssh_bastion_host: "b",
      ssh_bastion_agent_auth: true,
    }],
    "bastion-and-proxy": [
      {
        ssh_bastion_host: "b",
        ssh_bastion_password: "p",
        ssh_proxy_host: "p",
      },
      "please specify either ssh_bastion_host or ssh_proxy_host",
    ],
    "proxy": [{
      ssh_proxy_host: "p",
      ssh_proxy_port: 1081,
      ssh_proxy_username: "u",
      ssh_proxy_password: "p",
    }],
    "numbers-as-strings": [{ ssh_port: "22", ssh_pty: "true" }],
    "defaults": [{
      ssh_port: 0,
      ssh_handshake_attempts: 0,
      ssh_file_transfer_method: "",
      ssh_keep_alive_interval: "-1s",
    }],
    "the-rest": [{
      ssh_ciphers: ["aes128-ctr"],
      ssh_key_exchange_algorithms: ["curve25519-sha256"],
      ssh_keypair_name: "k",
      temporary_key_pair_name: "t",
      temporary_key_pair_type: "ecdsa",
      temporary_key_pair_bits: 521,
      ssh_clear_authorized_keys: true,
      ssh_disable_agent_forwarding: true,
      ssh_read_write_timeout: "5m",
      pause_before_connecting: "10s",
      ssh_timeout: "1m",
    }],
  }).map(([name, [config, ...messageParts]]): ParityCase => ({
    name: `null-ssh-${name}`,
    template: { builders: [ssh(config)] },
    args: validate(),
    ...(messageParts.length > 0 ? { messageParts } : {}),
  })),
  {
    name: "null-ssh-certificate-file-missing",
    template: { builders: [ssh({ ssh_certificate_file: "gone" })] },
    args: validate(),
    differs: {
      why: "ssh-checked-first",
      ok: false,
      messageParts: ["ssh_certificate_file is invalid"],
    },
  },
  {
    name: "null-winrm",
    template: {
      builders: [{
        type: "null",
        communicator: "winrm",
        winrm_host: "127.0.0.1",
        winrm_username: "u",
        winrm_password: "p",
      }],
    },
    args: validate(),
    differs: {
      why: "communicators",
      ok: false,
      messageParts: ["winrm", "not in this baler"],
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

/** A builder null with ssh. */
function ssh(config: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    type: "null",
    ssh_host: "127.0.0.1",
    ssh_username: "u",
    ssh_password: "p",
    ...config,
  };
}

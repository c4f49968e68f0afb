// A template such as projects that build images of nodes have: variables in
// files and without values, Packer's own plugins qemu and ansible beside what
// baler bundles, and a machine that boots, to the end.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import type { Workspace } from "../support/harness.ts";
import {
  noVirtualMachine,
  virtualMachineImage,
  VM_PASSWORD,
} from "../support/virtual_machine.ts";
import { missingProgram } from "../support/podman.ts";
import { install, testWithPackers } from "./support.ts";

const TEMPLATE = {
  variables: {
    accelerator: "kvm",
    ansible_common_vars: "",
    ansible_extra_vars: "ansible_python_interpreter=/usr/bin/python3",
    boot_wait: "10s",
    build_date: '{{isotime "20060102"}}',
    build_timestamp: "{{timestamp}}",
    containerd_url:
      "https://example.com/containerd-{{user `containerd_version`}}.tar.gz",
    containerd_version: null,
    cpus: "1",
    disk_size: "20480",
    existing_ansible_ssh_args: "{{env `ANSIBLE_SSH_ARGS`}}",
    format: "qcow2",
    headless: "true",
    kubernetes_semver: null,
    memory: "2048",
    output_directory:
      "./output/{{user `build_name`}}-kube-{{user `kubernetes_semver`}}",
    qemu_binary: "qemu-system-x86_64",
    ssh_password: "builder",
    ssh_username: "builder",
  },
  "sensitive-variables": ["ssh_password"],
  builders: ["node", "immutable"].map((name) => ({
    name,
    type: "qemu",
    accelerator: "{{user `accelerator`}}",
    boot_command: [
      "{{user `boot_command_prefix`}}",
      "http://{{ .HTTPIP }}:{{ .HTTPPort }}",
      "{{user `boot_command_suffix`}}",
    ],
    boot_wait: "{{user `boot_wait`}}",
    cpus: "{{user `cpus`}}",
    disk_interface: "virtio-scsi",
    disk_size: "{{user `disk_size`}}",
    format: "{{user `format`}}",
    headless: "{{user `headless`}}",
    http_directory: "./http/{{user `distro_name`}}/",
    iso_checksum: "{{user `iso_checksum_type`}}:{{user `iso_checksum`}}",
    iso_url: "{{user `iso_url`}}",
    memory: "{{user `memory`}}",
    net_device: "virtio-net",
    output_directory: "{{user `output_directory`}}",
    qemu_binary: "{{user `qemu_binary`}}",
    qemuargs: [
      ["-kernel", "{{user `kernel`}}"],
      ["-initrd", "{{user `initrd`}}"],
      ["-append", "console=ttyS0 quiet"],
    ],
    shutdown_command:
      "echo '{{user `ssh_password`}}' | sh -c '{{user `shutdown_command`}}'",
    ssh_password: "{{user `ssh_password`}}",
    ssh_timeout: "2h",
    ssh_username: "{{user `ssh_username`}}",
    vm_name: "{{user `build_name`}}-kube-{{user `kubernetes_semver`}}",
  })),
  provisioners: [
    {
      type: "shell",
      only: ["immutable"],
      script: "./files/bootstrap.sh",
    },
    {
      type: "shell",
      environment_vars: ["BUILD_NAME={{user `build_name`}}"],
      execute_command:
        "BUILD_NAME={{user `build_name`}}; if [ \"${BUILD_NAME}\" = test-1 ]; then {{.Vars}} sh '{{.Path}}'; fi",
      script: "./files/first.sh",
      remote_folder: "/tmp",
    },
    {
      type: "file",
      source: "./files",
      destination: "/tmp",
      override: { immutable: { destination: "/never" } },
    },
    {
      type: "ansible",
      ansible_env_vars: [
        "ANSIBLE_SSH_ARGS='{{user `existing_ansible_ssh_args`}} -o IdentitiesOnly=yes -o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa'",
        "ANSIBLE_REMOTE_TEMP='/tmp/.ansible/'",
      ],
      extra_arguments: [
        "--extra-vars",
        "{{user `ansible_common_vars`}}",
        "--extra-vars",
        "{{user `ansible_extra_vars`}}",
      ],
      playbook_file: "./ansible/node.yml",
      user: "builder",
    },
    {
      type: "shell",
      inline: [
        "cat /tmp/by-ansible",
        "wget -qO- http://$PACKER_HTTP_ADDR/ks.cfg",
        "echo served by {{build `PackerHTTPAddr`}} to {{build `User`}}",
        "cat /tmp/files/note /tmp/files/inner/note",
      ],
    },
    {
      type: "shell-local",
      inline: [
        "echo on {{build_type}} {{build_name}} since {{user `build_date`}}",
      ],
    },
  ],
  "post-processors": [
    [
      {
        type: "manifest",
        output: "{{user `output_directory`}}/manifest.json",
        strip_path: true,
        custom_data: {
          build_date: "{{isotime}}",
          containerd: "{{user `containerd_url`}}",
          kubernetes: "{{user `kubernetes_semver`}}",
          stamp: "{{user `build_timestamp`}}",
        },
      },
      { type: "checksum", checksum_types: ["sha256"], output: "sums" },
    ],
    {
      type: "shell-local",
      only: ["node"],
      environment_vars: ["FORMAT={{user `format`}}"],
      inline: ["echo post $FORMAT {{build_name}} of $PACKER_BUILD_NAME"],
    },
    { type: "shell-local", only: ["immutable"], inline: ["echo never"] },
  ],
};

/** Writes the template, what it names, and its files of variables. */
async function project(bench: Workspace): Promise<void> {
  const { kernel, initrd } = await virtualMachineImage();
  const iso = new Uint8Array(64 * 1024).fill(7);
  await bench.write("packer.json", TEMPLATE);
  await bench.write("installer.iso", iso);
  await bench.write("config/common.json", {
    containerd_version: "1.7.20",
    boot_wait: "1s",
    accelerator: "tcg",
    memory: "256",
    disk_size: "64M",
    boot_command_prefix: "<wait1s>ks=",
    boot_command_suffix: "/ks.cfg<enter>",
    shutdown_command: "poweroff -f",
    ssh_username: "root",
    ssh_password: VM_PASSWORD,
    kernel,
    initrd: await withScp(bench, initrd),
    iso_url: bench.at("installer.iso"),
    iso_checksum: createHash("sha256").update(iso).digest("hex"),
    iso_checksum_type: "sha256",
  });
  await bench.write("config/kubernetes.json", {
    kubernetes_semver: "v1.30.5",
    ansible_common_vars: "colour=blue words='a b'",
  });
  await bench.write("config/distro.json", {
    build_name: "overruled",
    distro_name: "tiny",
  });
  await bench.write("http/tiny/ks.cfg", "kickstarted\n");
  await bench.write("files/first.sh", "echo first $BUILD_NAME\n");
  await bench.write("files/bootstrap.sh", "echo never\n");
  await bench.write("files/note", "outer note\n");
  await bench.write("files/inner/note", "inner note\n");
  await bench.write(
    "ansible/node.yml",
    `- hosts: all
  gather_facts: false
  tasks:
    - raw: echo ansible {{ colour }} {{ words }} {{ ansible_python_interpreter }} > /tmp/by-ansible
`,
  );
}

/** A copy of an initial RAM disk with this machine's scp, by which Packer's plugins upload. */
async function withScp(bench: Workspace, initrd: string): Promise<string> {
  const directory = bench.at("scp");
  await Deno.mkdir(directory);
  // The kernel unpacks archives that stand behind each other, one after the other.
  const { success, stderr } = await new Deno.Command("sh", {
    args: [
      "-ec",
      'mkdir bin; cp -L "$(command -v scp)" bin/; cp "$0" initrd; find bin | cpio -o -H newc | gzip >> initrd',
      initrd,
    ],
    cwd: directory,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return bench.at("scp/initrd");
}

/** What is missing on this machine for such a build. */
const missing = noVirtualMachine ??
  ["ansible-playbook", "scp", "cpio"].map(missingProgram).find((reason) =>
    reason !== undefined
  );

const VARIABLES = [
  "-var-file=config/common.json",
  "-var-file=config/kubernetes.json",
  "-var-file=config/distro.json",
  "-var=build_name=test-1",
];

await testWithPackers(
  "a template of an image of nodes builds to its end, with the real plugins qemu and ansible",
  ["plugin-qemu", "plugin-ansible"],
  async ({ bench, paths: [qemu, ansible], baler }) => {
    await install(bench, "plugin-qemu", qemu!);
    await install(bench, "plugin-ansible", ansible!);
    await project(bench);
    const valid = await baler(["validate", ...VARIABLES, "packer.json"]);
    assertEquals(valid.code, 0, valid.output);
    const { code, stdout, output } = await baler([
      "build",
      "-only=node",
      ...VARIABLES,
      "packer.json",
    ]);
    assertEquals(code, 0, output);
    for (
      const line of [
        /node: first test-1$/m,
        /node: PLAY RECAP/,
        /node: ansible blue a b \/usr\/bin\/python3$/m,
        /node: kickstarted$/m,
        /node: served by 10\.0\.2\.2:\d+ to root$/m,
        /node: outer note\n.*node: inner note$/m,
        /node: on qemu node since \d{8}$/m,
        /post qcow2 node of node$/m,
      ]
    ) assertMatch(stdout, line);
    assert(!output.includes("never"), output);
    // The password is a sensitive variable.
    assert(!new RegExp(`'${VM_PASSWORD}'`).test(output), output);
    const directory = "output/test-1-kube-v1.30.5";
    const { builds: [made] } = JSON.parse(
      await bench.read(`${directory}/manifest.json`),
    );
    assertEquals(
      [made.name, made.builder_type, made.artifact_id],
      ["node", "qemu", "VM"],
    );
    assertMatch(made.custom_data.build_date, /^\d{4}-\d\d-\d\dT/);
    assertMatch(made.custom_data.stamp, /^\d+$/);
    assertEquals(
      made.custom_data.containerd,
      "https://example.com/containerd-1.7.20.tar.gz",
    );
    const [image] = made.files;
    assertEquals(image.name, "test-1-kube-v1.30.5");
    // The bytes with which a qcow2 file begins.
    const file = await Deno.readFile(bench.at(`${directory}/${image.name}`));
    assertEquals([...file.subarray(0, 4)], [0x51, 0x46, 0x49, 0xfb]);
    const sum = createHash("sha256").update(file).digest("hex");
    assert((await bench.read("sums")).includes(sum));
  },
  { missing, limitMs: 500_000 },
);

await testWithPackers(
  "mistakes in such a template are found where they stand, before a machine boots",
  ["plugin-qemu", "plugin-ansible"],
  async ({ bench, paths: [qemu, ansible], baler }) => {
    await install(bench, "plugin-qemu", qemu!);
    await install(bench, "plugin-ansible", ansible!);
    await project(bench);
    const refused = async (args: string[], ...messages: RegExp[]) => {
      const { code, output } = await baler(["validate", ...args]);
      assertEquals(code, 1, output);
      for (const message of messages) assertMatch(output, message);
    };
    await refused(
      [
        ...VARIABLES.filter((word) => !word.includes("kubernetes")),
        "packer.json",
      ],
      /kubernetes_semver/,
    );
    const text = JSON.stringify(TEMPLATE, null, 2);
    const refusedWith = async (
      [key, wrong]: [string, string],
      message: string,
    ) => {
      const template = text.replace(key, wrong);
      await bench.write("wrong.json", template);
      const at = template.indexOf(wrong);
      const line = template.slice(0, at).split("\n").length;
      await refused(
        [...VARIABLES, "wrong.json"],
        new RegExp(`wrong\\.json:${line}:\\d+: ${message}`),
      );
    };
    await refusedWith(
      ['"net_device"', '"net_devise"'],
      'unknown key "net_devise"',
    );
    await refusedWith(
      ['"format": "{{user `format`}}"', '"format": "vhdx"'],
      ".*invalid format",
    );
    await refusedWith(
      ["./ansible/node.yml", "./ansible/missing.yml"],
      ".*missing\\.yml",
    );
    await refusedWith(
      ['"type": "ansible"', '"type": "ansibel"'],
      "Unknown provisioner ansibel",
    );
  },
  { missing },
);

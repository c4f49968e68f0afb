// Packer's Go plugins start real machines under baler: containers, a virtual machine, a machine over ssh,
// and one that Ansible provisions.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  adapterDirectory,
  install,
  ofPacker,
  processesWith,
  testWithPackers,
} from "./support.ts";
import {
  dockerBench,
  missingPodman,
  missingProgram,
  podmanAsDocker,
} from "../support/podman.ts";

const CONTAINER = {
  type: "docker",
  image: "localhost/base:latest",
  pull: false,
  run_command: ["-d", "-i", "-t", "--entrypoint=/bin/sh", "--", "{{.Image}}"],
};

await testWithPackers(
  "docker's plugin, installed, builds a container that provisioners of both kinds work on",
  ["plugin-docker", "packer"],
  async ({ bench, paths: [docker, packer], baler }) => {
    const PATH = await podmanAsDocker(bench);
    const installed = await install(bench, "plugin-docker", docker!);
    await bench.write("big", "0123456789abcdef".repeat(4 * 1024 * 1024));
    await bench.write("template.json", {
      plugins: {
        provisioners: { gofile: ofPacker(packer!, "provisioner", "file") },
      },
      builders: [{ ...CONTAINER, commit: true, changes: ["ENV A=1"] }],
      provisioners: [
        {
          type: "shell",
          inline: ["echo id {{build `ID`}} $PACKER_BUILD_NAME"],
        },
        { type: "gofile", source: "big", destination: "/tmp/big" },
        {
          type: "file",
          source: "/tmp/big",
          destination: "down",
          direction: "download",
        },
        { type: "shell", inline: ["sha256sum /tmp/big"] },
      ],
      "post-processors": [[
        { type: "docker-tag", repository: "localhost/made", tag: ["1"] },
        { type: "manifest", output: "manifest.json" },
      ]],
    });
    const built = await baler(["build", "template.json"], { env: { PATH } });
    assertEquals(built.code, 0, built.output);
    assertMatch(built.stdout, /docker: id [0-9a-f]{64} docker\n/);
    const sum = await sha256(bench.at("big"));
    assert(built.stdout.includes(`${sum}  /tmp/big`), built.stdout);
    assertEquals(await sha256(bench.at("down")), sum);
    const manifest = JSON.parse(await bench.read("manifest.json"));
    assertEquals(manifest.builds[0].artifact_id, "localhost/made:1");

    const listed = await baler(["plugins"], { env: { PATH } });
    assert(
      listed.stdout.includes(
        `${installed}  (github.com/hashicorp/docker 1.1.2, installed in `,
      ),
      listed.stdout,
    );
  },
  { missing: missingPodman },
);

await testWithPackers(
  "Ctrl-C in a provisioner removes the container of docker's plugin before the build finishes",
  ["plugin-docker"],
  async ({ bench, paths: [docker], env }) => {
    const PATH = await podmanAsDocker(bench);
    await install(bench, "plugin-docker", docker!);
    await bench.write("template.json", {
      builders: [{ ...CONTAINER, discard: true }],
      provisioners: [{ type: "shell", inline: ["echo waiting", "sleep 600"] }],
    });
    const run = bench.start(["build", "template.json"], {
      env: { ...env, PATH },
    });
    await run.shows("waiting");
    run.kill("SIGINT");
    const ended = await run.ended();
    assert(ended.code !== 0);
    assertMatch(ended.output, /Killing the container: [0-9a-f]{64}/);
    const { stdout } = await new Deno.Command("docker", {
      args: ["ps", "-aq"],
      env: { ...bench.env, PATH },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
  },
  { missing: missingPodman },
);

for (const peer of ["packer", "plugin-qemu"] as const) {
  await testWithPackers(
    `qemu of ${peer} boots a virtual machine that powers itself off`,
    [peer],
    async ({ bench, paths: [path], baler }) => {
      if (peer === "plugin-qemu") await install(bench, peer, path!);
      await bench.write("disk.raw", bootSector());
      await bench.write("template.json", {
        ...(peer === "packer"
          ? {
            plugins: { builders: { qemu: ofPacker(path!, "builder", "qemu") } },
          }
          : {}),
        builders: [{
          type: "qemu",
          name: "tiny",
          iso_url: bench.at("disk.raw"),
          iso_checksum: "none",
          disk_image: true,
          format: "raw",
          skip_resize_disk: true,
          accelerator: "none",
          communicator: "none",
          headless: true,
          disable_vnc: true,
          boot_wait: "1s",
          shutdown_timeout: "1m",
          output_directory: "out",
        }],
        "post-processors": [{ type: "manifest", output: "manifest.json" }],
      });
      const built = await baler(["build", "template.json"]);
      assertEquals(built.code, 0, built.output);
      const [made] = JSON.parse(await bench.read("manifest.json")).builds;
      assertEquals([made.name, made.artifact_id], ["tiny", "VM"]);
      assertMatch(made.files[0].name, /^out\/packer-tiny/);
    },
    { missing: missingProgram("qemu-system-x86_64") },
  );
}

await testWithPackers(
  "Ctrl-C stops the virtual machine of qemu's plugin, and removes its output directory",
  ["plugin-qemu"],
  async ({ bench, paths: [path], env }) => {
    await install(bench, "plugin-qemu", path!);
    // A machine that stays up: it halts instead of powering off.
    const halting = bootSector();
    halting.set([0xfa, 0xf4, 0xeb, 0xfd]);
    const machine = `halting-${crypto.randomUUID()}`;
    await bench.write("disk.raw", halting);
    await bench.write("template.json", {
      builders: [{
        type: "qemu",
        iso_url: bench.at("disk.raw"),
        iso_checksum: "none",
        disk_image: true,
        format: "raw",
        skip_resize_disk: true,
        accelerator: "none",
        communicator: "none",
        headless: true,
        disable_vnc: true,
        boot_wait: "1s",
        vm_name: machine,
        shutdown_timeout: "10m",
        output_directory: "out",
      }],
      provisioners: [{
        type: "shell-local",
        inline: ["echo up", "sleep 600"],
      }],
    });
    const run = bench.start(["build", "template.json"], { env });
    await run.shows(/qemu: up/);
    assertEquals((await processesWith(machine)).length, 1);
    run.kill("SIGINT");
    const ended = await run.ended();
    assert(ended.code !== 0, ended.output);
    assertEquals(await processesWith(machine), []);
    assert(!(await bench.names(".")).includes("out"));
  },
  { missing: missingProgram("qemu-system-x86_64") },
);

await testWithPackers(
  "64 MiB are uploaded and downloaded unchanged between a TypeScript provisioner and a Go builder's machine over ssh",
  ["packer"],
  async ({ bench, paths: [packer], builds }) => {
    await using server = await sshServer(bench.at("sshd"));
    const content = new Uint8Array(64 * 1024 * 1024);
    for (let at = 0; at < content.length; at += 65536) {
      crypto.getRandomValues(content.subarray(at, at + 65536));
    }
    await bench.write("big", content);
    const { stdout } = await builds({
      plugins: { builders: { gonull: ofPacker(packer!, "builder", "null") } },
      builders: [{
        type: "gonull",
        communicator: "ssh",
        ssh_host: "127.0.0.1",
        ssh_port: server.port,
        ssh_username: "root",
        ssh_private_key_file: server.key,
        ssh_handshake_attempts: 3,
      }],
      provisioners: [
        { type: "file", source: "big", destination: bench.at("up") },
        {
          type: "file",
          source: bench.at("up"),
          destination: "down",
          direction: "download",
        },
        {
          type: "shell",
          remote_folder: bench.path,
          inline: ["echo on ${PACKER_BUILDER_TYPE}; echo oops >&2"],
        },
      ],
    });
    const sum = await sha256(bench.at("big"));
    assertEquals(await sha256(bench.at("up")), sum);
    assertEquals(await sha256(bench.at("down")), sum);
    assertMatch(stdout, /gonull: on gonull/);
  },
  { missing: missingProgram("sshd") },
);

await testWithPackers(
  "Ansible's plugin provisions the machine of a TypeScript builder",
  ["plugin-ansible"],
  async ({ bench, paths: [path], baler }) => {
    await install(bench, "plugin-ansible", path!);
    await bench.write(
      "playbook.yml",
      `- hosts: all
  gather_facts: false
  tasks:
    - raw: echo by ansible > ${bench.at("made")}
`,
    );
    await bench.write("template.json", {
      builders: [{ type: "null", communicator: "local" }],
      provisioners: [{
        type: "ansible",
        playbook_file: "playbook.yml",
        user: "root",
        // The plugin's ssh server has an RSA key that it signs with SHA-1 alone.
        extra_arguments: [
          "--ssh-extra-args",
          "-o HostKeyAlgorithms=+ssh-rsa -o PubkeyAcceptedAlgorithms=+ssh-rsa",
        ],
      }],
    });
    const built = await baler(["build", "template.json"]);
    assertEquals(built.code, 0, built.output);
    assertEquals(await bench.read("made"), "by ansible\n");
    assertMatch(built.stdout, /null: PLAY RECAP/);
  },
  { missing: missingProgram("ansible-playbook") ?? missingProgram("ssh") },
);

await testWithPackers(
  "Amazon's plugin describes its components, and runs up to its first rejected request",
  ["plugin-amazon"],
  async ({ bench, paths: [path], baler }) => {
    await install(bench, "plugin-amazon", path!);
    const template = {
      builders: [{
        type: "amazon-ebs",
        access_key: "AKIAEXAMPLE",
        secret_key: "secret",
        region: "us-east-1",
        custom_endpoint_ec2: "http://127.0.0.1:9",
        skip_region_validation: true,
        skip_metadata_api_check: true,
        skip_credential_validation: true,
        max_retries: 1,
        source_ami: "ami-12345678",
        instance_type: "t2.micro",
        ssh_username: "ubuntu",
        ami_name: "x {{timestamp}}",
      }],
    };
    await bench.write("template.json", template);
    const valid = await baler(["validate", "template.json"]);
    assertEquals(valid.code, 0, valid.output);
    const built = await baler(["build", "template.json"]);
    assertEquals(built.code, 1);
    assertMatch(built.output, /127\.0\.0\.1:9.*connection refused/);
    await bench.write("template.json", {
      builders: [{ ...template.builders[0], instance_tipe: "x" }],
    });
    assertMatch(
      (await baler(["validate", "template.json"])).output,
      /template\.json:\d+:\d+: unknown key "instance_tipe"/,
    );
  },
);

/** A disk of 1 MiB whose boot sector powers the machine off, by the port of QEMU's ACPI. */
function bootSector(): Uint8Array {
  const disk = new Uint8Array(1024 * 1024);
  disk.set([0xfa, 0xb8, 0x00, 0x20, 0xba, 0x04, 0x06, 0xef, 0xf4]);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

async function sha256(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("sha256sum", { args: [path] })
    .output();
  return new TextDecoder().decode(stdout).split(" ")[0]!;
}

/** An OpenSSH server on a loopback port, which lets one key in. */
async function sshServer(
  directory: string,
): Promise<{ port: number; key: string } & AsyncDisposable> {
  await Deno.mkdir(directory, { recursive: true });
  const [host, key] = [join(directory, "host"), join(directory, "key")];
  for (const path of [host, key]) {
    await new Deno.Command("ssh-keygen", {
      args: ["-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", path],
    }).output();
  }
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const config = join(directory, "config");
  await Deno.writeTextFile(
    config,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${host}
AuthorizedKeysFile ${key}.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PubkeyAcceptedAlgorithms +ssh-rsa
HostKeyAlgorithms +ssh-rsa
Subsystem sftp internal-sftp
PidFile none
`,
  );
  await Deno.mkdir("/run/sshd", { recursive: true });
  // -D: in the foreground; its children end with their connections.
  const server = new Deno.Command("/usr/sbin/sshd", {
    args: ["-D", "-e", "-f", config],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return {
    port,
    key,
    async [Symbol.asyncDispose]() {
      server.kill("SIGTERM");
      await server.status;
    },
  };
}

await testWithPackers(
  "docker's builder and post-processors of both kinds work on each other's artifacts",
  ["packer"],
  async ({ bench, paths: [packer], baler }) => {
    const docker = await dockerBench(bench);
    const ours = docker.plugins;
    // From its sources; the compiled one is found beside Packer's adapter.
    const env: Record<string, string> = bench.kind === "compiled"
      ? {
        PATH: docker.env.PATH!,
        BALER_PLUGIN_PATH:
          `${await adapterDirectory()}:${docker.env.BALER_PLUGIN_PATH}`,
      }
      : { PATH: docker.env.PATH! };
    for (const isOurBuilder of [true, false]) {
      const go = (kind: string, name: string) => ofPacker(packer!, kind, name);
      await bench.write("template.json", {
        plugins: {
          builders: isOurBuilder ? ours.builders ?? {} : {
            docker: go("builder", "docker"),
          },
          "post-processors": {
            ...ours["post-processors"],
            "go-tag": go("post-processor", "docker-tag"),
            "go-save": go("post-processor", "docker-save"),
          },
        },
        builders: [{ ...CONTAINER, commit: true }],
        "post-processors": [[
          { type: "go-tag", repository: "localhost/go", tags: ["1"] },
          { type: "docker-save", path: "ours.tar" },
          { type: "docker-tag", repository: "localhost/ours", tags: ["2"] },
          { type: "go-save", path: "go.tar" },
        ]],
      });
      const { code, output, stdout } = await baler(
        ["build", "template.json"],
        { env },
      );
      assertEquals(code, 0, output);
      assertMatch(
        stdout,
        /--> docker: Imported Docker image: localhost\/ours:2 with tags localhost\/ours:2\n/,
      );
      for (const name of ["ours.tar", "go.tar"]) {
        assert((await Deno.stat(bench.at(name))).size > 100_000, name);
        await Deno.remove(bench.at(name));
      }
    }
  },
  { missing: missingPodman },
);

// The rootfs builder: images from archives, layers and packages, read by the programs that they are for.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { dirname, join } from "@std/path";
import { UserNamespace } from "../../plugin/builder/namespaces/user_namespace.ts";
import { compile } from "../../tools/compile.ts";
import { forEachHost, Workspace } from "../support/harness.ts";
import { skippable } from "../support/programs.ts";
import {
  HOME_OWNER,
  missing,
  noNamespaces,
  rootfsPlugin,
  writeRootArchive,
} from "../support/root_file_system.ts";
import { run } from "../support/sshd.ts";
import {
  noVirtualMachine,
  virtualMachineImage,
} from "../support/virtual_machine.ts";
import { within } from "../support/within.ts";

/** The time of everything in the images. */
const EPOCH = "1700000000";

const options = { ignore: noNamespaces, limitMs: 400_000 };

async function writeTemplate(
  workspace: Workspace,
  builder: Record<string, unknown>,
  provisioners: Record<string, unknown>[] = [],
): Promise<void> {
  await workspace.write("template.json", {
    plugins: { builders: { rootfs: await rootfsPlugin(workspace.kind) } },
    builders: [{ type: "rootfs", ...builder }],
    provisioners,
  });
}

const PROVISIONERS = [
  {
    type: "shell",
    inline: [
      "id -u",
      'echo "on $(hostname), home $HOME"',
      "echo after >/etc/changed",
      "chown 10:20 /etc/changed",
      "rm /etc/removed",
      "mkdir -p /srv/new && echo new >/srv/new/file",
      "echo temporary >/tmp/file",
      // It ends with the machine.
      "setsid sleep 1000 >/dev/null 2>&1 &",
    ],
  },
  { type: "file", source: "uploaded", destination: "/srv/uploaded" },
  {
    type: "file",
    direction: "download",
    source: "/etc/passwd",
    destination: "passwd",
  },
];

async function listing(archive: string): Promise<string[]> {
  return (await run("tar", "--numeric-owner", "-tvf", archive)).trimEnd()
    .split("\n");
}

const noImagePrograms = await missing(
  ...["zstd", "mke2fs", "e2fsck", "debugfs", "qemu-img"],
);

forEachHost(
  "rootfs provisions an archive, and writes the same bytes twice",
  async (workspace) => {
    await writeRootArchive(workspace.at("source.tar"));
    await run("gzip", "-k", workspace.at("source.tar"));
    await workspace.write("uploaded", "uploaded");
    const formats = [
      ...["tar", "tar.gz", "tar.zst", "oci", "oci-archive", "ext4", "qcow2"],
      "directory",
    ];
    const env = { SOURCE_DATE_EPOCH: EPOCH };
    for (const output_directory of ["first", "second"]) {
      await writeTemplate(workspace, {
        source_tar: "source.tar.gz",
        ...{ output_directory, formats },
      }, PROVISIONERS);
      const { stdout } = await workspace.succeeds(["build", "template.json"], {
        env,
      });
      assertMatch(stdout, /rootfs: 0\n.*rootfs: on localhost, home \/root/);
      assertMatch(stdout, /--> rootfs: root file system in .*$/m);
    }
    assertMatch(await workspace.read("passwd"), /^root:/);

    const at = (name: string) => workspace.at("first", name);
    const files = await listing(at("rootfs.tar"));
    const line = (name: string) => {
      const found = files.find((one) => one.endsWith(` ${name}`));
      assert(found, `${name} is missing in\n${files.join("\n")}`);
      return found;
    };
    assertMatch(line("etc/changed"), / 10\/20 +6 2023-11-14 /);
    assertMatch(line("etc/kept"), / 0\/0 +5 2020-09-13 /);
    const { uid, gid } = HOME_OWNER;
    assertMatch(line("home/user/"), new RegExp(` ${uid}/${gid} `));
    line("srv/uploaded");
    const text = files.join("\n");
    for (const name of ["etc/removed", "tmp", "proc", "dev", "resolv.conf"]) {
      assert(!text.includes(` ${name}`), `${name} is in\n${text}`);
    }
    const listed = (await Promise.all(
      ["rootfs.tar.gz", "rootfs.tar.zst"].map((name) => listing(at(name))),
    )).map((lines) => lines.join("\n"));
    assertEquals(listed, [text, text]);

    await run("e2fsck", "-fn", at("rootfs.ext4"));
    const stat = await run(
      "debugfs",
      "-R",
      "stat /etc/changed",
      at("rootfs.ext4"),
    );
    assertMatch(stat, /User: +10 +Group: +20/);
    await run("qemu-img", "check", at("rootfs.qcow2"));
    await run("qemu-img", "compare", at("rootfs.qcow2"), at("rootfs.ext4"));
    assertEquals(await workspace.read("first/rootfs/srv/new/file"), "new\n");
    await run(
      "diff",
      ...["-r", "--no-dereference", workspace.at("first")],
      workspace.at("second"),
    );
  },
  { ...options, ignore: noImagePrograms },
);

interface Layer {
  mediaType: string;
  digest: string;
}

/** The layers of the one image in a layout. */
async function layersOf(layout: string): Promise<Layer[]> {
  const read = async (name: string) =>
    JSON.parse(await Deno.readTextFile(join(layout, name)));
  const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  const [{ digest }] = (await read("index.json")).manifests;
  return (await read(blob(digest))).layers;
}

forEachHost(
  "rootfs keeps the layers of an OCI image, and adds what has changed",
  async (workspace) => {
    await writeRootArchive(workspace.at("source.tar"));
    await workspace.write("uploaded", "uploaded");
    await writeTemplate(workspace, {
      source_tar: "source.tar",
      ...{ output_directory: "base", formats: ["oci"] },
      ...{ oci_tag: "base", oci_env: { A: "of the base" } },
      oci_labels: { kept: "yes" },
      oci_cmd: ["/bin/true"],
    });
    await workspace.succeeds(["build", "template.json"]);
    await writeTemplate(workspace, {
      ...{ source_oci: "base/rootfs.oci", source_oci_tag: "base" },
      ...{ output_directory: "out", formats: ["oci", "oci-archive"] },
      oci_labels: { added: "yes" },
      oci_entrypoint: ["/bin/cat"],
      oci_user: "33:42",
      oci_workdir: "/srv",
      oci_exposed_ports: ["80/tcp"],
    }, [
      { type: "shell", inline: ['echo "A is $A"'] },
      ...PROVISIONERS,
    ]);
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /rootfs: A is of the base/);

    const layout = workspace.at("out/rootfs.oci");
    const below = await layersOf(workspace.at("base/rootfs.oci"));
    const layers = await layersOf(layout);
    assertEquals(layers.slice(0, -1), below);
    const own = layers.at(-1)!.digest.replace(":", "/");
    const names = (await run("tar", "-tzf", join(layout, "blobs", own)))
      .trimEnd().split("\n");
    assertEquals(names, [
      ...["./", "etc/", "etc/.wh.removed", "etc/changed", "srv/", "srv/new/"],
      ...["srv/new/file", "srv/uploaded"],
    ]);
  },
  options,
);

forEachHost(
  "podman runs an image of rootfs",
  async (workspace) => {
    await writeRootArchive(workspace.at("source.tar"));
    await writeTemplate(workspace, {
      source_tar: "source.tar",
      ...{ output_directory: "base", formats: ["oci"] },
    });
    await workspace.succeeds(["build", "template.json"]);
    await writeTemplate(workspace, {
      source_oci: "base/rootfs.oci",
      ...{ output_directory: "out", formats: ["oci-archive"] },
      ...{ oci_tag: "localhost/built:1", oci_workdir: "/srv" },
      ...{ oci_entrypoint: ["/bin/sh", "-c"], oci_env: { B: "in it" } },
      oci_cmd: ["cat file; ls /etc/removed; echo $B"],
    }, [
      {
        type: "shell",
        inline: ["mkdir /srv; echo it runs >/srv/file; rm /etc/removed"],
      },
    ]);
    await workspace.succeeds(["build", "template.json"]);
    // What a machine without cgroups of its own, and without a network, needs.
    const conf = await workspace.write(
      "containers.conf",
      `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
`,
    );
    const podman = async (...args: string[]) => {
      const { success, stdout, stderr } = await new Deno.Command("podman", {
        args: [
          ...["--root", workspace.at("podman"), "--storage-driver", "vfs"],
          ...["--runroot", workspace.at("run"), ...args],
        ],
        env: { CONTAINERS_CONF: conf, HOME: workspace.home },
      }).output();
      const text = new TextDecoder().decode(stdout) +
        new TextDecoder().decode(stderr);
      assert(success, text);
      return text;
    };
    try {
      await podman("load", "-i", workspace.at("out/rootfs.oci.tar"));
      const output = await podman("run", "--rm", "localhost/built:1");
      assertStringIncludes(output, "it runs");
      assertStringIncludes(output, "/etc/removed: No such file");
      assertStringIncludes(output, "in it");
    } finally {
      await podman("system", "reset", "--force").catch(() => {});
    }
  },
  {
    ...options,
    ignore: Deno.uid() === 0
      ? await missing("podman", "runc")
      : "podman is run as root here",
  },
);

forEachHost(
  "rootfs gives commands a machine of their own",
  async (workspace) => {
    await writeRootArchive(workspace.at("source.tar"));
    await workspace.write("shared/file", "shared");
    await writeTemplate(workspace, {
      source_tar: "source.tar",
      ...{ network: "none", hostname: "own", environment: { SEEN: "yes" } },
      volumes: { shared: "/mnt/read:ro" },
      output_directory: "out",
    }, [{
      type: "shell",
      inline: [
        'echo "name $(hostname), $SEEN, host: [$TEST_HOST]"',
        'echo "links: $(ls /sys/class/net)"',
        "ip addr show lo | grep -c 127.0.0.1",
        'echo "processes: $(ls /proc | grep -c "^[0-9]*$")"',
        "cat /mnt/read/file; echo",
        "echo x >/mnt/read/file || echo read-only",
        "(echo 1 >/proc/sys/vm/swappiness) 2>/dev/null || echo no sysctl",
        "chmod 600 /dev/null 2>/dev/null || echo no chmod",
        "echo written >/dev/null && echo null",
      ],
    }]);
    const { stdout } = await workspace.succeeds(["build", "template.json"], {
      env: { TEST_HOST: "leaked" },
    });
    const lines = stdout.split("\n").flatMap((line) =>
      /^ {4}rootfs: (.*)$/.exec(line)?.[1] ?? []
    );
    const shown = lines.join("\n");
    assertStringIncludes(shown, "name own, yes, host: []");
    assertStringIncludes(shown, "links: lo\n1\n");
    const [, processes] = /processes: (\d+)/.exec(shown)!;
    assert(Number(processes) < 10, shown);
    assertStringIncludes(shown, "shared\n");
    for (const one of ["read-only", "no sysctl", "no chmod", "null"]) {
      assert(lines.includes(one), `${one} is not in ${stdout}`);
    }
    const names = await listing(workspace.at("out/rootfs.tar"));
    assert(!names.some((name) => /mnt/.test(name)), names.join("\n"));
  },
  options,
);

forEachHost("the template of docs/rootfs.md builds", async (workspace) => {
  const page = await Deno.readTextFile(
    new URL("../../docs/rootfs.md", import.meta.url),
  );
  const [, template = ""] = /```json\n([^]*?)```/.exec(page) ?? [];
  const plugins = { builders: { rootfs: await rootfsPlugin(workspace.kind) } };
  await workspace.write("template.json", { plugins, ...JSON.parse(template) });
  await writeRootArchive(workspace.at("base.tar"));
  await run("gzip", workspace.at("base.tar"));
  await workspace.write("app", "#!/bin/sh\necho it runs\n");
  await workspace.succeeds(["build", "template.json"]);
  assertEquals(await workspace.names("image"), [
    "rootfs.oci.tar",
    "rootfs.tar.gz",
  ]);
  const names = await listing(workspace.at("image/rootfs.tar.gz"));
  assertMatch(names.join("\n"), /-rwxr-xr-x .* usr\/local\/bin\/app$/m);
}, options);

forEachHost(
  "rootfs tells what is wrong with its options",
  async (workspace) => {
    const refused = async (
      builder: Record<string, unknown>,
      message: RegExp,
    ) => {
      await writeTemplate(workspace, builder);
      const ended = await workspace.baler(["validate", "template.json"]);
      assertEquals(ended.code, 1, ended.output);
      assertMatch(ended.output, message);
    };
    await refused({}, /one of mmdebstrap_suite, source_tar, .* must be given/);
    await refused(
      { source_tar: "a", source_oci: "b" },
      /must be given, not source_tar and source_oci/,
    );
    await refused(
      { source_tar: "https://example.com/a.tar" },
      /a URL needs the checksum of its archive/,
    );
    const more = (one: Record<string, unknown>) => ({
      source_tar: "a",
      ...one,
    });
    await refused(more({ disk_size: "much" }), /"much" is not a size/);
    await refused(more({ formats: ["iso"] }), /formats/);
    await refused(more({ formats: [] }), /must not be empty\n.*"formats"/);
    await refused(more({ image_name: "../a" }), /cannot be the name of a file/);
    await refused(more({ disk_uuid: "1" }), /"1" is not a UUID/);
    await refused(more({ oci_platform: "linux" }), /is not a platform/);
    await refused(more({ volumes: { a: "b" } }), /"b" is not an absolute path/);
    await workspace.write("output-rootfs/there", "");
    await refused(more({}), /output-rootfs exists; remove it, or use -force/);
  },
  options,
);

forEachHost(
  "rootfs leaves the tree where a failed build is not cleaned up",
  async (workspace) => {
    await writeRootArchive(workspace.at("source.tar"));
    await writeTemplate(workspace, { source_tar: "source.tar" }, [
      { type: "shell", inline: ["echo half >/etc/half", "exit 3"] },
    ]);
    const ended = await workspace.baler([
      ...["build", "-on-error=abort", "template.json"],
    ]);
    assertEquals(ended.code, 1, ended.output);
    const [, left = ""] = /The tree is left in (.*)/.exec(ended.output) ?? [];
    assertEquals(await Deno.readTextFile(`${left}/root/etc/half`), "half\n");
    const namespace = await UserNamespace.create({ directories: [left] });
    await namespace[Symbol.asyncDispose]();
  },
  options,
);

forEachHost(
  "rootfs leaves nothing when an archive cannot be unpacked",
  async (workspace) => {
    await workspace.write("source.tar", "no archive".repeat(200));
    await writeTemplate(workspace, { source_tar: "source.tar" });
    const ended = await workspace.baler(["build", "template.json"]);
    assertEquals(ended.code, 1, ended.output);
    assertMatch(
      ended.output,
      /cannot unpack the tree: it is not a tar archive, or damaged/,
    );
    assertEquals(await workspace.names(), ["source.tar", "template.json"]);
  },
  options,
);

/** A mirror of Debian that answers; otherwise why there is none. */
const noDebian = await (async () => {
  const reason = await missing("mmdebstrap");
  if (reason !== undefined || Deno.build.arch !== "x86_64") {
    return reason ?? "needs x86_64";
  }
  try {
    const response = await fetch(
      "http://deb.debian.org/debian/dists/bookworm/InRelease",
      { signal: AbortSignal.timeout(10_000) },
    );
    await response.body?.cancel();
    return response.ok ? undefined : `Debian's mirror says ${response.status}`;
  } catch (error) {
    return `there is no mirror of Debian: ${(error as Error).message}`;
  }
})();

// Once: how the host runs makes no difference to it.
Deno.test({
  ...skippable(
    "a kernel mounts a disk of rootfs",
    noImagePrograms ?? noVirtualMachine,
  ),
  async fn() {
    const workspace = await Workspace.make("source");
    try {
      await writeRootArchive(workspace.at("source.tar"));
      await writeTemplate(workspace, {
        source_tar: "source.tar",
        ...{ output_directory: "out", formats: ["qcow2"] },
      }, [{
        type: "shell",
        inline: ["echo 'the disk is mounted' >/boot-message"],
      }]);
      await workspace.succeeds(["build", "template.json"]);
      const { kernel, initrd } = await virtualMachineImage();
      const qemu = new Deno.Command("qemu-system-x86_64", {
        args: [
          ...["-accel", "tcg", "-m", "256", "-nographic", "-no-reboot"],
          ...["-kernel", kernel, "-initrd", initrd],
          ...["-append", "console=ttyS0 quiet", "-nic", "none"],
          "-drive",
          `file=${workspace.at("out/rootfs.qcow2")},format=qcow2,if=virtio`,
        ],
        ...{ stdin: "null", stdout: "piped", stderr: "null" },
      }).spawn();
      try {
        let text = "";
        const decoder = new TextDecoder();
        const shown = (async () => {
          for await (const chunk of qemu.stdout) {
            text += decoder.decode(chunk, { stream: true });
            if (text.includes("The machine is up.")) return;
          }
        })();
        await within("the machine", shown, 300_000);
        assertStringIncludes(text, "the disk is mounted");
      } finally {
        qemu.kill("SIGKILL");
        await qemu.status;
      }
      await workspace.assertNothingLeft();
    } finally {
      await workspace.clear();
    }
  },
});

// Once: it takes a minute, and how the host runs makes no difference to it.
Deno.test({
  ...skippable("rootfs installs Debian", noDebian),
  async fn() {
    const workspace = await Workspace.make("compiled");
    try {
      await writeTemplate(workspace, {
        ...{ mmdebstrap_suite: "bookworm", mmdebstrap_variant: "essential" },
        ...{ mmdebstrap_mirrors: ["http://deb.debian.org/debian"] },
        output_directory: "out",
      }, [{
        type: "shell",
        inline: ["dpkg-query -W base-files", "chown daemon:tty /etc/hostname"],
      }]);
      const { stdout } = await workspace.succeeds(["build", "template.json"], {
        env: { SOURCE_DATE_EPOCH: EPOCH },
      });
      assertMatch(stdout, /rootfs: base-files\s+12/);
      const names = (await listing(workspace.at("out/rootfs.tar"))).join("\n");
      assertMatch(names, / etc\/debian_version$/m);
      assertMatch(names, / 1\/5 .* etc\/hostname$/m);
      assert(!/ proc\/./.test(names), names);
      await workspace.assertNothingLeft();
    } finally {
      await workspace.clear();
    }
  },
});

/** What a user of a test has of subordinate ids. */
const USERS = {
  "with subordinate ids": "builder:300000:65536\n",
  "with one id alone": "",
};

for (const [what, subordinate] of Object.entries(USERS)) {
  Deno.test({
    ...skippable(
      `rootfs builds for an ordinary user ${what}`,
      Deno.uid() !== 0
        ? "only root can be another user"
        : await missing("newuidmap", "setpriv", "mke2fs", "debugfs"),
    ),
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "baler-user-" });
      try {
        const [host, builder] = await compile(["baler", "builder-rootfs"], {
          say: () => {},
        });
        assertEquals(dirname(host!.path), dirname(builder!.path));
        const write = (name: string, text: string) =>
          Deno.writeTextFile(join(directory, name), text);
        await Deno.mkdir(join(directory, "etc"));
        await write(
          "etc/passwd",
          "root:x:0:0::/:/bin/sh\nbuilder:x:54321:54321::/mnt/home:/bin/sh\n",
        );
        await write("etc/subuid", subordinate);
        await write("etc/subgid", subordinate);
        await writeRootArchive(join(directory, "source.tar"));
        const inline = ["id -u", "echo new >/etc/new", "rm /etc/removed"];
        await write(
          "template.json",
          JSON.stringify({
            builders: [{
              ...{ type: "rootfs", source_tar: "source.tar" },
              ...{ output_directory: "out", formats: ["tar", "ext4"] },
            }],
            provisioners: [{ type: "shell", inline }],
          }),
        );
        // In mounts of its own: this machine's users stay as they are.
        const script = `
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /mnt/bin /mnt/home /mnt/tmp
cp "$2" "$3" /mnt/bin
cp "$1/source.tar" "$1/template.json" /mnt/home
mount -t overlay -o "lowerdir=$1/etc:/etc" overlay /etc
chown -R 54321:54321 /mnt/home /mnt/tmp
cd /mnt/home
setpriv --reuid 54321 --regid 54321 --clear-groups \\
  env -i "PATH=$PATH" HOME=/mnt/home TMPDIR=/mnt/tmp BALER_PLUGIN_PATH=/mnt/bin \\
  SOURCE_DATE_EPOCH=${EPOCH} /mnt/bin/baler build template.json || exit 1
[ -z "$(ls /mnt/tmp)" ] || { ls -R /mnt/tmp; exit 1; }
cp out/rootfs.tar out/rootfs.ext4 "$1"
`;
        const output = await run(
          "unshare",
          ...["--mount", "--", "sh", "-ec", script, "sh", directory],
          ...[host!.path, builder!.path],
        );
        assertMatch(output, /rootfs: 0$/m);
        assertEquals(
          /Only root can own files/.test(output),
          subordinate === "",
        );
        const files = (await listing(join(directory, "rootfs.tar"))).join("\n");
        const { uid, gid } = HOME_OWNER;
        assertMatch(files, new RegExp(` ${uid}/${gid} .* home/user/$`, "m"));
        assertMatch(files, / 0\/0 .* etc\/new$/m);
        const image = join(directory, "rootfs.ext4");
        await run("e2fsck", "-fn", image);
        assertMatch(
          await run("debugfs", "-R", "stat /home/user", image),
          new RegExp(`User: +${uid} +Group: +${gid}`),
        );
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

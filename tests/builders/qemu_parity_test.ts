// The qemu builder beside that of Packer 1.6.6: the command lines of QEMU and
// qemu-img, and what both refuse. docs/qemu.md lists the differences.

import { assert, assertEquals } from "@std/assert";
import { DELIMITER, join } from "@std/path";
import { forEachHost, type Workspace } from "../support/harness.ts";
import { missing, NOT_LINUX } from "../support/programs.ts";
import { REFUSED, VALID } from "./qemu_refusals.ts";
import { writeStandIns } from "./qemu_stand_in.ts";
import { writeQemuTemplate } from "./qemu_workspace.ts";

const noPacker = NOT_LINUX ?? missing("packer");

/** Templates that both run, with the options that matter to QEMU. */
const TEMPLATES: Readonly<Record<string, Record<string, unknown>>> = {
  "an ISO": {},
  "a disk image": { disk_image: true, iso_url: "base.qcow2" },
  "an overlay": {
    disk_image: true,
    iso_url: "base.qcow2",
    use_backing_file: true,
  },
  "a disk image that keeps its size": {
    disk_image: true,
    iso_url: "base.qcow2",
    skip_resize_disk: true,
  },
  "a raw disk": { format: "raw", disk_size: "5000" },
  "more disks, compressed": {
    disk_additional_size: ["1G", "20M"],
    disk_compression: true,
  },
  "disks by virtio-scsi": {
    disk_interface: "virtio-scsi",
    disk_additional_size: ["1G"],
  },
  "disks by IDE, cached, discarding": {
    disk_interface: "ide",
    disk_cache: "unsafe",
    disk_discard: "unmap",
    disk_detect_zeroes: "unmap",
    skip_compaction: true,
  },
  "a machine with more of everything": {
    machine_type: "q35",
    memory: 2048,
    net_device: "e1000",
    vm_name: "big.qcow2",
    output_directory: "big",
    accelerator: "none",
  },
  "arguments of qemu-img": {
    qemu_img_args: {
      convert: ["-o", "preallocation=off"],
      create: ["-o", "cluster_size=64K"],
    },
  },
  "qemuargs": {
    qemuargs: [
      ["-m", "1024M"],
      ["-cpu", "max"],
      ["-no-reboot"],
      ["-device", "virtio-rng-pci"],
      ["-fw_cfg", "name=opt/a,", "string={{ .Name }}"],
      ["-rtc", "base=utc", ""],
    ],
  },
  "qemuargs for drives and the network": {
    qemuargs: [
      ["-drive", "file={{ .OutputDir }}/{{ .Name }},if=virtio,format=qcow2"],
      ["-netdev", "user,id=user.0,hostfwd=tcp::2299-:22"],
      ["-display", "none"],
    ],
  },
  "ssh": {
    communicator: "ssh",
    ssh_username: "root",
    ssh_password: "x",
    ssh_timeout: "1s",
  },
};

/** The calls of the programs, as sets of options, without what differs from run to run. */
async function callsOf(
  workspace: Workspace,
  log: string,
): Promise<{ qemu: Record<string, string[]>; qemuImg: string[][] }> {
  const lines = (await Deno.readTextFile(log)).trim().split("\n");
  const calls: string[][] = lines.map((line) =>
    JSON.parse(line).map((word: string) =>
      word.replaceAll(`${workspace.path}/`, "")
        // Packer links a file of this machine into its cache.
        .replace(/\S*packer_cache\/\w+\.iso/, "MEDIUM")
        .replace(/^(file=)?(base\.qcow2|a\.iso)/, "$1MEDIUM")
    )
  );
  const [, ...args] = calls.find(([name]) => name !== "qemu-img")!;
  const qemu: Record<string, string[]> = {};
  for (let at = 0; at < args.length;) {
    const name = args[at++]!;
    const value = args[at]?.startsWith("-") ? "" : args[at++] ?? "";
    // Our own channels, and the ports that differ from run to run.
    if (name === "-serial" || name === "-qmp") continue;
    (qemu[name] ??= []).push(
      normalized(name, value),
    );
  }
  for (const values of Object.values(qemu)) values.sort();
  return {
    qemu,
    qemuImg: calls.filter(([name, command]) =>
      name === "qemu-img" && command !== "info"
    ).map(([, ...rest]) => rest),
  };
}

function normalized(name: string, value: string): string {
  return value.split(",").map((part) =>
    name === "-vnc"
      ? part.replace(/:\d+$/, ":N")
      : part.replace(/^hostfwd=tcp:(127\.0\.0\.1)?:\d{4}-/, "hostfwd=tcp::N-")
  ).filter((part) => !/^(index|id)=/.test(part) || name !== "-drive")
    .sort().join(",");
}

forEachHost(
  "qemu calls QEMU and qemu-img as Packer does",
  async (workspace) => {
    const tools = workspace.at("tools");
    const PATH = [tools, workspace.env.PATH].join(DELIMITER);
    for (const [title, options] of Object.entries(TEMPLATES)) {
      await workspace.write("base.qcow2", "an image");
      await workspace.write("a.iso", "a CD");
      const builder = {
        iso_url: "a.iso",
        iso_checksum: "none",
        communicator: "none",
        accelerator: "tcg",
        headless: true,
        boot_wait: "-1s",
        shutdown_timeout: "1m",
        ...options,
      };
      const outcomes: {
        qemu: Record<string, string[]>;
        qemuImg: string[][];
      }[] = [];
      for (const program of ["packer", "baler"] as const) {
        const log = workspace.at(`${program}.log`);
        await Deno.remove(log).catch(() => {});
        await writeStandIns(tools, log);
        await writeQemuTemplate(workspace, builder);
        if (program === "packer") {
          await workspace.write("packer.json", {
            // It would connect to the stand-in by VNC, but passes -vnc in any case.
            builders: [{ type: "qemu", ...builder, disable_vnc: true }],
          });
          await packer(workspace, ["build", "packer.json"], PATH);
        } else {
          await workspace.baler(["build", "template.json"], { env: { PATH } });
        }
        outcomes.push(await callsOf(workspace, log));
        for (const directory of ["output-qemu", "big"]) {
          await Deno.remove(workspace.at(directory), { recursive: true })
            .catch(() => {});
        }
      }
      const [theirs, ours] = outcomes as [
        typeof outcomes[0],
        typeof outcomes[0],
      ];
      // Newer plugins of Packer's give -smp in any case; ours, too.
      assertEquals(ours.qemu["-smp"], ["1"], title);
      delete ours.qemu["-smp"];
      assertEquals(ours.qemu, theirs.qemu, title);
      assertEquals(
        ours.qemuImg,
        theirs.qemuImg.map((call) => withKnownDifferences(call)),
        title,
      );
    }
  },
  { ignore: noPacker, limitMs: 400_000, only: "source" },
);

/** What of a call of qemu-img is another one on purpose. */
function withKnownDifferences(call: string[]): string[] {
  const [command] = call;
  // The backing file by its absolute path and with its format; the size is set afterwards.
  if (command === "create" && call.includes("-b")) {
    return [
      "create",
      "-f",
      "qcow2",
      "-b",
      "MEDIUM",
      "-F",
      "qcow2",
      call.at(-2)!,
    ];
  }
  return call;
}

forEachHost(
  "qemu refuses what Packer refuses",
  async (workspace) => {
    await workspace.write("packer.json", {
      builders: [{ type: "qemu", ...VALID }],
    });
    const { PATH } = workspace.env;
    assertEquals(
      await packer(workspace, ["validate", "packer.json"], PATH!),
      0,
    );
    const others: string[] = [];
    for (const [options, , , acceptedByPacker] of REFUSED) {
      await workspace.write("packer.json", {
        builders: [{ type: "qemu", ...VALID, ...options }],
      });
      const code = await packer(workspace, ["validate", "packer.json"], PATH!);
      if ((code === 0) !== (acceptedByPacker !== undefined)) {
        others.push(JSON.stringify(options));
      }
    }
    assertEquals(others, [], "Packer treats these otherwise");
  },
  { ignore: noPacker, limitMs: 400_000, only: "source" },
);

async function packer(
  workspace: Workspace,
  args: string[],
  PATH: string,
): Promise<number> {
  const { code, stderr, stdout } = await new Deno.Command("packer", {
    args,
    cwd: workspace.path,
    clearEnv: true,
    env: {
      ...workspace.env,
      PATH,
      CHECKPOINT_DISABLE: "1",
      PACKER_CACHE_DIR: join(workspace.home, "packer_cache"),
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  assert(code <= 1, decoder.decode(stdout) + decoder.decode(stderr));
  return code;
}

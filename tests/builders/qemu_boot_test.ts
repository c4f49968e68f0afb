// Machines of the qemu builder that boot as real ones do: from a CD, by EFI, and
// from the disk that a build has made.

import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { forEachHost } from "../support/harness.ts";
import { run } from "../support/sshd.ts";
import { virtualMachineImage } from "../support/virtual_machine.ts";
import {
  kernelMachine,
  MACHINE,
  MACHINE_TEST,
  writeQemuTemplate,
} from "./qemu_workspace.ts";

/** Why no program makes a CD that a BIOS boots. */
const noCdProgram: string | undefined = await run("genisoimage", "-version")
  .then(() => undefined, () => "genisoimage is not installed");

/** Makes a CD that boots the small Linux once its boot loader is told to. */
async function bootableCd(path: string): Promise<void> {
  const { kernel, initrd, isolinux } = await virtualMachineImage();
  const tree = await Deno.makeTempDir({ prefix: "baler-cd-tree-" });
  try {
    await Deno.copyFile(kernel, join(tree, "vmlinuz"));
    await Deno.copyFile(initrd, join(tree, "initrd"));
    for (const name of ["isolinux.bin", "ldlinux.c32"]) {
      await Deno.copyFile(join(isolinux, name), join(tree, name));
    }
    // It waits for a command: without the boot command, nothing boots.
    await Deno.writeTextFile(
      join(tree, "isolinux.cfg"),
      "serial 0\nprompt 1\ntimeout 0\nlabel linux\n  kernel vmlinuz\n  initrd initrd\n",
    );
    await run(
      ...["genisoimage", "-quiet", "-o", path, "-b", "isolinux.bin"] as const,
      ...["-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"],
      ...["-boot-info-table", "-R", "-V", "INSTALL", tree],
    );
  } finally {
    await Deno.remove(tree, { recursive: true });
  }
}

forEachHost(
  "qemu boots an ISO, whose boot loader gets the boot command",
  async (workspace) => {
    await bootableCd(workspace.at("install.iso"));
    const { stdout } = await new Deno.Command("sha256sum", {
      args: [workspace.at("install.iso")],
    }).output();
    const [sum] = new TextDecoder().decode(stdout).split(" ");
    await writeQemuTemplate(workspace, {
      ...MACHINE,
      iso_url: "install.iso",
      iso_checksum: `sha256:${sum}`,
      cdrom_interface: "sata",
      boot_wait: "8s",
      boot_key_interval: "20ms",
      boot_command: [
        "linux console=ttyS0 quiet<wait>",
        ' answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/a?b="C_D"&e=~{1}<enter>',
      ],
      http_content: { "/a": "served" },
    }, {
      provisioners: [{
        type: "shell",
        inline: ["cat /proc/cmdline", "wget -qO- http://$PACKER_HTTP_ADDR/a"],
      }],
    });
    const build = await workspace.succeeds(["build", "template.json"]);
    assertMatch(build.stdout, /Starting VM, booting from CD-ROM/);
    assertMatch(
      build.stdout,
      /console=ttyS0 quiet answers=http:\/\/10\.0\.2\.2:\d+\/a\?b="C_D"&e=~\{1\}/,
    );
    assertMatch(build.stdout, /qemu: served$/m);
  },
  {
    ...MACHINE_TEST,
    ignore: MACHINE_TEST.ignore ?? noCdProgram,
    only: "source",
  },
);

forEachHost(
  "qemu makes a compressed disk with a checksum that boots again by EFI",
  async (workspace) => {
    const { kernel, initrd, efiLoader, ovmf } = await virtualMachineImage();
    await workspace.write("boot.conf", "default linux\ntimeout 0\n");
    await workspace.write(
      "linux.conf",
      "title Linux\nlinux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 quiet booted=from-the-disk\n",
    );
    const upload = (source: string, destination: string) => ({
      type: "file",
      source,
      destination,
    });
    await writeQemuTemplate(workspace, {
      ...await kernelMachine(),
      disk_size: "96M",
      output_directory: "made",
      vm_name: "disk.qcow2",
    }, {
      provisioners: [
        {
          type: "shell",
          inline: [
            // One EFI system partition (type ef) over the whole disk.
            "printf 'o\\nn\\np\\n1\\n\\n\\nt\\nef\\nw\\n' | fdisk /dev/vda >/dev/null",
            "mkfs.vfat -n ESP /dev/vda1",
            "mkdir -p /esp && mount -t vfat /dev/vda1 /esp",
            "mkdir -p /esp/EFI/BOOT /esp/loader/entries",
          ],
        },
        upload(efiLoader, "/esp/EFI/BOOT/BOOTX64.EFI"),
        upload("boot.conf", "/esp/loader/loader.conf"),
        upload("linux.conf", "/esp/loader/entries/linux.conf"),
        upload(kernel, "/esp/vmlinuz"),
        upload(initrd, "/esp/initrd"),
        {
          type: "shell",
          inline: ["echo provisioned >/esp/mark", "umount /esp", "sync"],
        },
      ],
      "post-processors": [[
        { type: "compress", output: "disk.tar.gz" },
        {
          type: "checksum",
          checksum_types: ["sha256"],
          output: "disk.{{ .ChecksumType }}",
        },
      ]],
    });
    await workspace.succeeds(["build", "template.json"]);
    assertEquals(
      (await workspace.names()).filter((name) => name.startsWith("disk")),
      ["disk.sha256", "disk.tar.gz"],
    );
    await run(
      "sh",
      "-ec",
      `cd '${workspace.path}'
sha256sum -c disk.sha256
mkdir unpacked
tar -xzf disk.tar.gz -C unpacked
`,
    );
    const disk = (await Array.fromAsync(
      walk(workspace.at("unpacked")),
    )).find((path) => path.endsWith("disk.qcow2"))!;

    await writeQemuTemplate(workspace, {
      ...MACHINE,
      disk_image: true,
      iso_url: disk,
      iso_checksum: "none",
      disk_size: "96M",
      machine_type: "q35",
      efi_firmware_code: ovmf.code,
      efi_firmware_vars: ovmf.vars,
      output_directory: "again",
    }, {
      provisioners: [{
        type: "shell",
        inline: [
          "cat /proc/cmdline",
          "ls /sys/firmware/efi/runtime >/dev/null && echo by EFI",
          "mkdir -p /esp && mount -t vfat /dev/vda1 /esp && cat /esp/mark",
        ],
      }],
    });
    const again = await workspace.succeeds(["build", "template.json"]);
    assertMatch(again.stdout, /booted=from-the-disk/);
    assertMatch(again.stdout, /qemu: by EFI$/m);
    assertMatch(again.stdout, /qemu: provisioned$/m);
    assertEquals(await workspace.names("again"), [
      "efivars.fd",
      "packer-qemu",
    ]);
  },
  { ...MACHINE_TEST, only: "compiled" },
);

forEachHost(
  "qemu gives a machine a TPM",
  async (workspace) => {
    await writeQemuTemplate(workspace, {
      ...await kernelMachine(),
      vtpm: true,
    }, {
      provisioners: [{
        type: "shell",
        inline: ["cat /sys/class/tpm/tpm0/tpm_version_major"],
      }],
    });
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /qemu: 2$/m);
  },
  {
    ...MACHINE_TEST,
    ignore: MACHINE_TEST.ignore ??
      await run("swtpm", "--version").then(
        () => undefined,
        () => "swtpm is not installed",
      ),
    only: "compiled",
  },
);

async function* walk(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (isDirectory) yield* walk(path);
    else yield path;
  }
}

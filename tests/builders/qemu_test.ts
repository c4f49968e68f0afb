// The qemu builder, with a virtual machine that QEMU emulates.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { forEachHost } from "../support/harness.ts";
import {
  kernelMachine,
  MACHINE,
  MACHINE_TEST,
  writeQemuTemplate,
} from "./qemu_workspace.ts";

/** What a disk begins with once it was provisioned. */
const MARK = "written by baler";

const shell = (...inline: string[]) => ({
  provisioners: [{ type: "shell", inline }],
});

forEachHost(
  "qemu boots, provisions, and keeps a disk that a second build reads",
  async (workspace) => {
    const machine = await kernelMachine();
    await writeQemuTemplate(workspace, {
      ...machine,
      output_directory: "first",
      disk_additional_size: ["8M"],
    }, {
      ...shell(
        `printf '${MARK}' | dd of=/dev/vda 2>/dev/null`,
        "printf more | dd of=/dev/vdb 2>/dev/null",
        "sync",
      ),
      "post-processors": [{ type: "checksum", checksum_types: ["sha256"] }],
    });
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /==> qemu: Connected to SSH!/);
    assertMatch(stdout, /--> qemu: VM files in directory: .*\/first$/m);
    assertEquals(await workspace.names("first"), [
      "packer-qemu",
      "packer-qemu-1",
    ]);

    await writeQemuTemplate(
      workspace,
      {
        ...machine,
        disk_image: true,
        use_backing_file: true,
        disk_size: "128M",
        iso_url: "first/packer-qemu",
        iso_checksum: "none",
        output_directory: "second",
      },
      shell(
        `dd if=/dev/vda bs=${MARK.length} count=1 2>/dev/null; echo`,
        "echo $(($(cat /sys/block/vda/size) / 2048)) MiB",
      ),
    );
    const second = await workspace.succeeds(["build", "template.json"]);
    assertMatch(second.stdout, new RegExp(`qemu: ${MARK}$`, "m"));
    assertMatch(second.stdout, /qemu: 128 MiB$/m);
    const first = await Deno.stat(workspace.at("first/packer-qemu"));
    assert(first.size > 0);
  },
  MACHINE_TEST,
);

forEachHost(
  "qemu fills in kernel_args, cd_content and qemuargs, and logs in with the key on the CD",
  async (workspace) => {
    const { ssh_password: _, ...machine } = await kernelMachine();
    await writeQemuTemplate(workspace, {
      ...machine,
      vm_name: "seeded",
      http_content: { "/answers": "served" },
      kernel_args:
        "console=ttyS0 quiet seed=http://{{ .HTTPIP }}:{{ .HTTPPort }}/ name={{ .Name }}",
      cd_label: "cidata",
      cd_content: {
        "meta-data": "local-hostname: {{ .Name }}\n",
        "user-data":
          "#cloud-config\nssh_authorized_keys:\n  - {{ .SSHPublicKey }}\n",
      },
      temporary_key_pair_type: "ed25519",
      ssh_clear_authorized_keys: true,
      qemuargs: [["-fw_cfg", "name=opt/test,string={{ .SSHHostPort }}"]],
    }, {
      provisioners: [{
        type: "shell",
        inline: [
          "cat /proc/cmdline /tmp/meta-data",
          "wget -qO- http://$PACKER_HTTP_ADDR/answers; echo",
          'echo "key: $(cat /root/.ssh/authorized_keys)"',
          "(sleep 1; cat /root/.ssh/authorized_keys >/dev/ttyS0) &",
        ],
      }],
    });
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /seed=http:\/\/10\.0\.2\.2:\d+\/ name=seeded$/m);
    assertMatch(stdout, /local-hostname: seeded$/m);
    assertMatch(stdout, /qemu: served$/m);
    assertMatch(stdout, /key: ssh-ed25519 /);
    assertMatch(stdout, /Trying to remove ephemeral keys from authorized_keys/);
  },
  { ...MACHINE_TEST, only: "compiled" },
);

forEachHost(
  "qemu types at the keyboard what boot_command and boot_steps say",
  async (workspace) => {
    // The machine's init reads its keyboard, line by line.
    const typed = "aZ 09 ~!@#$%^&*()_+-={}|[]\\:\";'<>?,./";
    await writeQemuTemplate(workspace, {
      ...await kernelMachine(),
      boot_wait: "0s",
      boot_key_interval: "20ms",
      boot_keygroup_interval: "5ms",
      http_content: { "/x": "y" },
      boot_steps: [
        // Until the machine reads it, the kernel keeps what is typed.
        [`<wait20s>${typed}<enter>`, "the whole keyboard"],
        [
          "{{ .Name }} {{ .HTTPIP }}:{{ .HTTPPort }}<spacebar><leftShiftOn>x<leftShiftOff>yy<bs><return>",
        ],
      ],
    }, shell("cat /tmp/typed"));
    const { stdout } = await workspace.succeeds(["build", "template.json"]);
    assertMatch(stdout, /Typing boot command for: the whole keyboard/);
    const shown = stdout.split("\n").map((line) =>
      line.replace(/^ {4}qemu: /, "")
    );
    assert(shown.includes(typed), stdout);
    assertMatch(stdout, /qemu: packer-qemu 10\.0\.2\.2:\d+ Xy$/m);
  },
  { ...MACHINE_TEST, only: "source" },
);

forEachHost(
  "qemu attaches disks and CDs by every interface",
  async (workspace) => {
    for (const on of ["ide", "virtio-scsi"]) {
      await writeQemuTemplate(
        workspace,
        {
          ...await kernelMachine(),
          output_directory: `by-${on}`,
          disk_interface: on,
          cdrom_interface: on,
          disk_additional_size: ["8M"],
          disk_discard: "unmap",
          disk_detect_zeroes: "unmap",
          cd_content: { "meta-data": "read from the CD" },
        },
        shell(
          // The kernel looks for drives while its init runs.
          "i=0; until [ -b /dev/sr0 ] && [ -b /dev/sdb ] || [ $i = 60 ]; do i=$((i+1)); sleep 1; done",
          "mount -t iso9660 /dev/sr0 /cdrom && cat /cdrom/meta-data; echo",
          "ls /dev/sda /dev/sdb",
        ),
      );
      const { stdout } = await workspace.succeeds(["build", "template.json"]);
      assertMatch(stdout, /qemu: read from the CD$/m, on);
      assertMatch(stdout, /qemu: \/dev\/sdb$/m, on);
    }
  },
  { ...MACHINE_TEST, only: "compiled" },
);

forEachHost(
  "qemu shows why a machine cannot be reached, and where it stands",
  async (workspace) => {
    await writeQemuTemplate(workspace, {
      ...await kernelMachine(),
      ssh_password: "wrong",
      ssh_handshake_attempts: 2,
    }, shell("true"));
    const ended = await workspace.baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /cannot log in to root@127\.0\.0\.1:\d+: the handshake failed 2 times; the last refusal: .*Permission denied/,
    );
    assertMatch(
      ended.output,
      /The last lines of the serial port:\n[^]*The machine is up\./,
    );
    await removeScreenshot(ended.output);
  },
  { ...MACHINE_TEST, only: "source" },
);

forEachHost(
  "qemu gives up on an sshd that never answers, with the last serial lines and a picture",
  async (workspace) => {
    await writeQemuTemplate(workspace, {
      ...await kernelMachine(),
      // A kernel that finds no init waits for ever.
      kernel_args: "console=ttyS0 rdinit=/no/such/program",
      ssh_timeout: "15s",
    }, shell("true"));
    const ended = await workspace.baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /Timeout waiting for SSH: root@127\.0\.0\.1:\d+ could not be reached in 15 s/,
    );
    assertMatch(ended.output, /The last lines of the serial port:\n/);
    assertMatch(ended.output, /Kernel panic|No working init found/);
    const picture = await removeScreenshot(ended.output);
    assertEquals([...picture.subarray(1, 4)], [0x50, 0x4e, 0x47], "a PNG");
    await assertRejects(
      () => Deno.stat(workspace.at("output-qemu")),
      Deno.errors.NotFound,
    );
  },
  { ...MACHINE_TEST, only: "compiled" },
);

forEachHost(
  "qemu waits for a machine that shuts down by itself, and no longer than told",
  async (workspace) => {
    const { shutdown_command: _, ...machine } = await kernelMachine();
    await writeQemuTemplate(
      workspace,
      {
        ...machine,
        disable_shutdown: true,
        shutdown_timeout: "1m",
        output_directory: "off",
      },
      shell("(sleep 1; poweroff -f) >/dev/null 2>&1 &"),
    );
    await workspace.succeeds(["build", "template.json"]);
    await writeQemuTemplate(workspace, {
      ...machine,
      shutdown_command: "echo not today; false",
      shutdown_timeout: "2s",
      output_directory: "on",
    }, shell("true"));
    const ended = await workspace.baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(ended.output, /qemu: not today$/m);
    assertMatch(ended.output, /The shutdown command exited with 1\./);
    assertMatch(
      ended.output,
      /Timeout while waiting for the machine to shut down: 2 s/,
    );
    await removeScreenshot(ended.output);
    assertEquals((await workspace.names()).includes("on"), false);
  },
  { ...MACHINE_TEST, only: "source" },
);

forEachHost(
  "qemu shows what QEMU wrote when it does not start",
  async (workspace) => {
    await writeQemuTemplate(workspace, {
      ...MACHINE,
      ...await kernelMachine(),
      machine_type: "nonesuch",
    }, shell("true"));
    const ended = await workspace.baler(["build", "template.json"]);
    assertEquals(ended.code, 1);
    assertMatch(
      ended.output,
      /QEMU exited with status 1: .*unsupported machine type/,
    );
    assertEquals(await workspace.names(), ["template.json"]);
  },
  MACHINE_TEST,
);

/** Reads the picture of the screen that an output names, and deletes it. */
async function removeScreenshot(output: string): Promise<Uint8Array> {
  const [, path] = /picture of the machine's screen: (\S+)/.exec(output) ?? [];
  assert(path, output);
  const content = await Deno.readFile(path);
  await Deno.remove(path);
  return content;
}

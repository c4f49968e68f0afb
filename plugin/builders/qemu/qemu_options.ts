// The options of the qemu builder: Packer's names and defaults, and what Packer
// does not have: `kernel`, `initrd`, `kernel_args`.
// Source: https://developer.hashicorp.com/packer/integrations/hashicorp/qemu

import { sshOptions } from "../../builder/ssh/ssh_options.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";

/** What the builder takes. */
export const qemuOptions = {
  ...sshOptions,
  communicator: {
    type: "string",
    default: "ssh",
    oneOf: ["ssh", "none"],
    description: "How provisioners reach the machine: `ssh` or `none`.",
  },
  iso_url: {
    type: "string",
    description: "The URL or the path of an ISO or a disk image.",
  },
  iso_urls: {
    type: "strings",
    description: "Several URLs of the same file, tried in order.",
  },
  iso_checksum: {
    type: "string",
    description:
      "The file's checksum, such as `sha256:HEX`, `file:URL` or `none`.",
  },
  iso_target_path: {
    type: "string",
    description: "The path that the file is downloaded to.",
  },
  iso_target_extension: {
    type: "string",
    description: "The extension of the downloaded file.",
  },
  disk_image: {
    type: "boolean",
    default: false,
    description: "The file is a disk image to boot from, not an ISO.",
  },
  use_backing_file: {
    type: "boolean",
    default: false,
    description: "The disk is an overlay of the disk image (qcow2 only).",
  },
  kernel: {
    type: "string",
    description: "The path of a Linux kernel to boot directly.",
  },
  initrd: {
    type: "string",
    description: "The path of the initial RAM disk of that kernel.",
  },
  kernel_args: {
    type: "string",
    default: "",
    description: "The command line of that kernel.",
  },
  vm_name: {
    type: "string",
    description:
      "The name of the machine and of its disk; `packer-BUILD` unless given.",
  },
  output_directory: {
    type: "string",
    description: "The directory of the result; `output-BUILD` unless given.",
  },
  format: {
    type: "string",
    default: "qcow2",
    oneOf: ["qcow2", "raw"],
    description: "The format of the disk.",
  },
  disk_size: {
    type: "string",
    default: "40960M",
    description: "The size of the disk, in MiB or with a unit (`10G`).",
  },
  disk_additional_size: {
    type: "strings",
    description: "The sizes of more disks.",
  },
  disk_interface: {
    type: "string",
    default: "virtio",
    oneOf: ["ide", "sata", "scsi", "virtio", "virtio-scsi"],
    description: "The interface of the disks.",
  },
  disk_cache: {
    type: "string",
    default: "writeback",
    oneOf: ["writethrough", "writeback", "none", "unsafe", "directsync"],
    description: "The cache mode of the disks.",
  },
  disk_discard: {
    type: "string",
    default: "ignore",
    oneOf: ["unmap", "ignore"],
    description: "What happens to discarded blocks.",
  },
  disk_detect_zeroes: {
    type: "string",
    default: "off",
    oneOf: ["unmap", "on", "off"],
    description: "What happens to blocks of zeroes.",
  },
  skip_resize_disk: {
    type: "boolean",
    default: false,
    description: "Leave a disk image at its size.",
  },
  skip_compaction: {
    type: "boolean",
    default: false,
    description: "Do not compact the disk at the end.",
  },
  disk_compression: {
    type: "boolean",
    default: false,
    description: "Compress the disk at the end (qcow2 only).",
  },
  accelerator: {
    type: "string",
    oneOf: ["none", "kvm", "tcg", "hax", "hvf", "whpx", "xen"],
    description:
      "The accelerator; kvm, hvf or whpx where there is one, and else tcg, unless given.",
  },
  machine_type: {
    type: "string",
    default: "pc",
    description: "The type of the machine.",
  },
  cpus: {
    type: "number",
    default: 1,
    description: "The number of processors.",
  },
  cpu_model: { type: "string", description: "The model of the processor." },
  memory: { type: "number", default: 512, description: "The memory, in MiB." },
  firmware: {
    type: "string",
    description: "The path of a firmware, in place of QEMU's own.",
  },
  efi_boot: {
    type: "boolean",
    default: false,
    description: "Boot by EFI; its variables are a file of the result.",
  },
  efi_firmware_code: {
    type: "string",
    default: "/usr/share/OVMF/OVMF_CODE.fd",
    description: "The path of the EFI firmware's code.",
  },
  efi_firmware_vars: {
    type: "string",
    default: "/usr/share/OVMF/OVMF_VARS.fd",
    description: "The path of the EFI firmware's variables, which are copied.",
  },
  net_device: {
    type: "string",
    default: "virtio-net",
    description: "The network device.",
  },
  net_bridge: {
    type: "string",
    description:
      "A bridge to attach the machine to, in place of user networking.",
  },
  cdrom_interface: {
    type: "string",
    description: "The interface of the ISO's drive.",
  },
  headless: {
    type: "boolean",
    default: false,
    description: "Show no window. A machine has VNC either way.",
  },
  display: {
    type: "string",
    description: "QEMU's display, such as `gtk`; `none` unless given.",
  },
  use_default_display: {
    type: "boolean",
    default: false,
    description: "Leave the display to QEMU.",
  },
  disable_vnc: {
    type: "boolean",
    default: false,
    description: "No VNC.",
  },
  vnc_bind_address: {
    type: "string",
    default: "127.0.0.1",
    description: "The address of VNC.",
  },
  vnc_port_min: {
    type: "number",
    default: 5900,
    description: "The lowest port of VNC.",
  },
  vnc_port_max: {
    type: "number",
    default: 6000,
    description: "The highest port of VNC.",
  },
  qemu_binary: {
    type: "string",
    default: "qemu-system-x86_64",
    description: "The QEMU program.",
  },
  qemuargs: {
    type: "any",
    description:
      "QEMU arguments, as lists of a switch and its value; they replace baler's own with the same switch.",
  },
  boot_command: {
    type: "strings",
    interpolate: false,
    description:
      "What to type when the machine boots, with `{{ .HTTPIP }}`, `{{ .HTTPPort }}`, `{{ .Name }}` and `{{ .SSHPublicKey }}`.",
  },
  boot_wait: {
    type: "duration",
    default: 10_000,
    description: "The pause before typing.",
  },
  boot_key_interval: {
    type: "duration",
    default: 100,
    description: "How long a key is held.",
  },
  http_directory: {
    type: "string",
    description: "A directory to serve to the machine by HTTP.",
  },
  http_content: {
    type: "any",
    description: "Contents to serve, by their paths.",
  },
  http_bind_address: {
    type: "string",
    default: "0.0.0.0",
    description: "The address of the HTTP server.",
  },
  http_port_min: {
    type: "number",
    default: 8000,
    description: "Its lowest port.",
  },
  http_port_max: {
    type: "number",
    default: 9000,
    description: "Its highest port.",
  },
  cd_files: {
    type: "strings",
    description: "Files and directories for a CD; patterns are expanded.",
  },
  cd_content: {
    type: "any",
    interpolate: false,
    description: "Contents of files for that CD, by their paths.",
  },
  cd_label: {
    type: "string",
    default: "packer",
    description: "The CD's label, such as `cidata` for cloud-init.",
  },
  shutdown_command: {
    type: "string",
    description: "The command that shuts the machine down.",
  },
  shutdown_timeout: {
    type: "duration",
    default: 300_000,
    description: "How long that may take.",
  },
  skip_nat_mapping: {
    type: "boolean",
    default: false,
    description: "Forward no port to the machine's sshd.",
  },
  host_port_min: {
    type: "number",
    default: 2222,
    description: "The lowest forwarded port.",
  },
  host_port_max: {
    type: "number",
    default: 4444,
    description: "The highest forwarded port.",
  },
} as const satisfies Options;

/** What the builder gets. */
export type QemuConfig = ConfigOf<typeof qemuOptions>;

// The options of the qemu builder: Packer's names and defaults, and what Packer
// does not have: `kernel`, `initrd`, `kernel_args` and `disable_shutdown`.
// Source: https://developer.hashicorp.com/packer/integrations/hashicorp/qemu

import {
  bootOptions,
  cdOptions,
  httpOptions,
  isoOptions,
  shutdownOptions,
  sshOptions,
} from "../../builder/mod.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";

/** The options of the qemu builder. */
export const qemuOptions = {
  ...isoOptions,
  iso_skip_cache: {
    type: "boolean",
    default: false,
    description:
      "QEMU reads the ISO from its URL, without a download and a checksum.",
  },
  disk_image: {
    type: "boolean",
    default: false,
    description: "The file is a disk image to boot from, not an ISO.",
  },
  use_backing_file: {
    type: "boolean",
    default: false,
    description:
      "The disk is an overlay of the disk image, which stays where it is (qcow2 only).",
  },
  kernel: {
    type: "string",
    description: "The path of a Linux kernel to boot without a boot loader.",
  },
  initrd: {
    type: "string",
    description: "The path of the initial RAM disk of that kernel.",
  },
  kernel_args: {
    type: "string",
    default: "",
    interpolate: false,
    description:
      "The command line of that kernel, with the same templates as `boot_command`.",
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
    description: "The format of the disks.",
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
  skip_resize_disk: {
    type: "boolean",
    default: false,
    description: "The disk keeps the size of the disk image.",
  },
  disk_interface: {
    type: "string",
    default: "virtio",
    oneOf: ["ide", "sata", "scsi", "sd", "virtio", "virtio-scsi"],
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
    description: "What happens to blocks that the machine discards.",
  },
  disk_detect_zeroes: {
    type: "string",
    default: "off",
    oneOf: ["unmap", "on", "off"],
    description: "What happens to blocks of zeroes that the machine writes.",
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
  qemu_img_args: {
    type: "any",
    description:
      "Further arguments of qemu-img: an object of lists, by the subcommands `convert`, `create` and `resize`.",
  },
  accelerator: {
    type: "string",
    oneOf: ["none", "kvm", "tcg", "hax", "hvf", "whpx", "xen"],
    description:
      "The accelerator. Unless given: kvm where `/dev/kvm` can be opened, hvf on macOS and whpx on Windows where QEMU has them, else tcg, which emulates the processor.",
  },
  machine_type: {
    type: "string",
    default: "pc",
    description: "The type of the machine, such as `q35`.",
  },
  cpus: {
    type: "number",
    description:
      "The number of virtual processors; 1, or that of the topology, unless given.",
  },
  sockets: { type: "number", description: "The number of sockets." },
  cores: { type: "number", description: "The number of cores of a socket." },
  threads: { type: "number", description: "The number of threads of a core." },
  cpu_model: { type: "string", description: "The model of the processor." },
  memory: { type: "number", default: 512, description: "The memory, in MiB." },
  firmware: {
    type: "string",
    description: "The path of a firmware, in place of QEMU's own.",
  },
  use_pflash: {
    type: "boolean",
    default: false,
    description: "The firmware is a flash drive, not a BIOS image.",
  },
  efi_boot: {
    type: "boolean",
    default: false,
    description:
      "Boot by EFI; true as well where one of the two files that follow is given. The variables become a file of the result, `efivars.fd`.",
  },
  efi_firmware_code: {
    type: "string",
    description:
      "The path of the EFI firmware's code; `/usr/share/OVMF/OVMF_CODE.fd`, or where other distributions have it, unless given.",
  },
  efi_firmware_vars: {
    type: "string",
    description:
      "The path of the EFI firmware's variables, which are copied; the file that belongs to that code unless given.",
  },
  efi_drop_efivars: {
    type: "boolean",
    default: false,
    description: "Do not keep `efivars.fd`.",
  },
  vtpm: {
    type: "boolean",
    default: false,
    description: "Give the machine a TPM, emulated by the program swtpm.",
  },
  use_tpm1: {
    type: "boolean",
    default: false,
    description: "The TPM is of version 1.2, not 2.0.",
  },
  tpm_device_type: {
    type: "string",
    default: "tpm-tis",
    description:
      "The TPM device: `tpm-tis`, on ARM `tpm-tis-device`, on PowerPC `tpm-spapr`.",
  },
  net_device: {
    type: "string",
    default: "virtio-net",
    description: "The network device.",
  },
  net_bridge: {
    type: "string",
    description:
      "A bridge to attach the machine to, in place of user networking (Linux only).",
  },
  skip_nat_mapping: {
    type: "boolean",
    default: false,
    description: "Forward no port to the machine's sshd.",
  },
  host_port_min: {
    type: "number",
    default: 2222,
    description: "The lowest port that is forwarded to the machine's sshd.",
  },
  host_port_max: {
    type: "number",
    default: 4444,
    description: "The highest port that is forwarded to the machine's sshd.",
  },
  cdrom_interface: {
    type: "string",
    oneOf: ["ide", "sata", "scsi", "virtio", "virtio-scsi"],
    description:
      "The interface of the CD drives; QEMU's own choice unless given.",
  },
  headless: {
    type: "boolean",
    default: false,
    description:
      "Show no window. None is shown either where there is no display.",
  },
  display: {
    type: "string",
    description:
      "QEMU's display, such as `sdl`; `gtk`, on macOS `cocoa`, unless given.",
  },
  use_default_display: {
    type: "boolean",
    default: false,
    description: "Leave the display to QEMU.",
  },
  vga: { type: "string", description: "The type of the graphics card." },
  disable_vnc: {
    type: "boolean",
    default: false,
    description: "Run no VNC server.",
  },
  vnc_bind_address: {
    type: "string",
    default: "127.0.0.1",
    description: "The address of the VNC server.",
  },
  vnc_port_min: {
    type: "number",
    default: 5900,
    description: "The lowest port of the VNC server.",
  },
  vnc_port_max: {
    type: "number",
    default: 6000,
    description: "The highest port of the VNC server.",
  },
  vnc_use_password: {
    type: "boolean",
    default: false,
    description: "Ask for a password by VNC.",
  },
  vnc_password: {
    type: "string",
    description: "That password, of at most 8 characters; random unless given.",
  },
  qmp_enable: {
    type: "boolean",
    default: false,
    description: "Offer QMP, QEMU's control protocol, on a unix socket.",
  },
  qmp_socket_path: {
    type: "string",
    description:
      "The path of that socket; `VM_NAME.monitor` in the output directory unless given.",
  },
  qemu_binary: {
    type: "string",
    default: "qemu-system-x86_64",
    description: "The QEMU program.",
  },
  qemuargs: {
    type: "any",
    interpolate: false,
    description:
      "QEMU's arguments, as lists of a switch and its value; they replace the builder's with the same switch. `{{ .HTTPIP }}`, `{{ .HTTPPort }}`, `{{ .HTTPDir }}`, `{{ .OutputDir }}`, `{{ .Name }}` and `{{ .SSHHostPort }}` are filled in.",
  },
  ...bootOptions,
  boot_steps: {
    type: "any",
    interpolate: false,
    description:
      "Lists of a boot command and what it is for, in place of `boot_command`; `-debug` pauses after each.",
  },
  ...httpOptions,
  ...cdOptions,
  ...shutdownOptions,
  communicator: {
    type: "string",
    default: "ssh",
    oneOf: ["ssh", "none"],
    description: "How provisioners reach the machine: `ssh` or `none`.",
  },
  ...sshOptions,
  ssh_host_port_min: {
    type: "number",
    description: "The former name of `host_port_min`.",
  },
  ssh_host_port_max: {
    type: "number",
    description: "The former name of `host_port_max`.",
  },
  run_once: {
    type: "boolean",
    default: false,
    description: "Has no effect; old templates have it.",
  },
} as const satisfies Options;

/** What the builder gets. */
export type QemuConfig = ConfigOf<typeof qemuOptions>;

// What the configuration of the qemu builder refuses.

/** Options of a machine that is valid. */
export const VALID = {
  iso_url: "a.iso",
  iso_checksum: "sha256:" + "ab".repeat(32),
  ssh_username: "root",
  ssh_password: "secret",
  shutdown_command: "poweroff",
};

/**
 * Options that are refused: the words of the error, the text in the template
 * that it points at, and why Packer 1.6.6 accepts them, where it does.
 */
export const REFUSED: readonly [
  options: Record<string, unknown>,
  words: string,
  at: string,
  acceptedByPacker?: string,
][] = [
  [{ iso_url: undefined }, "one of iso_url and iso_urls", "{"],
  [{ iso_urls: ["b.iso"] }, "cannot be given together", '"iso_urls"'],
  [
    { iso_checksum: "sha256:12" },
    "is not a checksum",
    '"sha256:12"',
    "the download fails",
  ],
  [{ disk_size: "much" }, '"much" is not the size', '"much"'],
  [
    { disk_additional_size: ["1G", "2X"] },
    '"2X" is not the size',
    '"2X"',
    "qemu-img refuses it once the build runs",
  ],
  [{ format: "vmdk" }, 'must be one of "qcow2", "raw"', '"vmdk"'],
  [{ disk_interface: "usb" }, "must be one of", '"usb"'],
  [{ disk_cache: "fast" }, "must be one of", '"fast"'],
  [{ disk_discard: "yes" }, "must be one of", '"yes"'],
  [{ disk_detect_zeroes: "yes" }, "must be one of", '"yes"'],
  [{ accelerator: "turbo" }, "must be one of", '"turbo"'],
  [{ communicator: "winrm" }, "must be one of", '"winrm"'],
  [{ use_backing_file: true }, "needs disk_image", '"use_backing_file"'],
  [{ skip_resize_disk: true }, "needs disk_image", '"skip_resize_disk"'],
  [
    { vnc_port_min: 80 },
    "from 5900 to 65535",
    '"vnc_port_min"',
    "QEMU counts displays from 5900",
  ],
  [{ vnc_port_min: 6001 }, "is above vnc_port_max", '"vnc_port_min"'],
  [{ host_port_min: 5000 }, "is above host_port_max", '"host_port_min"'],
  [{ http_port_min: 9001 }, "is above http_port_max", '"http_port_min"'],
  [{ vnc_password: "123456789" }, "at most 8", '"vnc_password"'],
  [{ cpus: -1 }, "must be a whole number", '"cpus"', "it takes 1 instead"],
  [{ kernel_args: "quiet" }, "needs kernel", '"kernel_args"'],
  [{ kernel: "none/vmlinuz" }, "does not exist", '"none/vmlinuz"'],
  [{ cd_files: ["none"] }, "does not exist", '"none"'],
  [
    { boot_command: ["ok", "h\u00e9"] },
    "no US keyboard",
    '"h\u00e9"',
    "it sends keys that the machine may not have",
  ],
  [
    { boot_command: ["{{ .Nope }}"] },
    "Nope",
    '"{{ .Nope }}"',
    "the build fails once the machine runs",
  ],
  [
    { boot_command: ["a"], boot_steps: [["b"]] },
    "cannot be given together",
    '"boot_steps"',
  ],
  [{ boot_steps: ["b"] }, "must be a list of lists", '"boot_steps"'],
  [
    { qemuargs: [["-m", 5]] },
    "must be a list of lists",
    '"qemuargs"',
    "it takes numbers for strings",
  ],
  [
    { qemuargs: [["-m", "{{ .X }}"]] },
    "X",
    '"{{ .X }}"',
    "the build fails once the disk is made",
  ],
  [
    { qemu_img_args: { info: [] } },
    "convert, create, resize",
    '"qemu_img_args"',
  ],
  [
    { http_directory: ".", http_content: { a: "b" } },
    "cannot be given together",
    '"http_content"',
  ],
  [{ ssh_username: "" }, "ssh_username", '"ssh_username"'],
  [{ disk_sise: "1G" }, 'did you mean "disk_size"', '"disk_sise"'],
];

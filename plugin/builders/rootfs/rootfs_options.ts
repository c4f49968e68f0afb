// The options of the rootfs builder.

import type { ConfigOf, Options } from "../../contract/options.ts";

/** What an image can be written as. */
export const FORMATS = [
  "tar",
  "tar.gz",
  "tar.zst",
  "oci",
  "oci-archive",
  "ext4",
  "qcow2",
  "directory",
] as const;

/** The options. */
export const rootfsOptions = {
  mmdebstrap_suite: {
    type: "string",
    description:
      "Start from the packages of this Debian suite, such as `bookworm`, with mmdebstrap.",
  },
  mmdebstrap_mirrors: {
    type: "strings",
    description:
      "The mirrors, as URLs or lines of sources.list; mmdebstrap's own unless given.",
  },
  mmdebstrap_packages: {
    type: "strings",
    description: "Packages to install beside those of the variant.",
  },
  mmdebstrap_variant: {
    type: "string",
    default: "minbase",
    description:
      "mmdebstrap's variant, such as `apt`, `minbase` or `standard`.",
  },
  mmdebstrap_components: {
    type: "strings",
    description: "The components of the suite; `main` unless given.",
  },
  mmdebstrap_architecture: {
    type: "string",
    description:
      "The architecture of the packages, in Debian's words; this machine's unless given.",
  },
  mmdebstrap_options: {
    type: "strings",
    description: "More arguments of mmdebstrap.",
  },
  source_tar: {
    type: "string",
    description:
      "Start from this tar archive: a path or a URL; gzip, zstd, xz, bzip2 or lz4 are recognised.",
  },
  source_tar_checksum: {
    type: "string",
    default: "none",
    description:
      "The archive's checksum, such as `sha256:...`; a URL needs one.",
  },
  source_directory: {
    type: "string",
    description: "Start from a copy of this directory.",
  },
  source_oci: {
    type: "string",
    description:
      "Start from an image in this OCI layout: a directory, or a tar archive of one.",
  },
  source_oci_tag: {
    type: "string",
    description: "The image's name in the layout; needed where it has several.",
  },
  output_directory: {
    type: "string",
    description:
      "The directory of the result, which must not exist; `output-` and the build's name unless given.",
  },
  image_name: {
    type: "string",
    default: "rootfs",
    description: "What the names of the result's files begin with.",
  },
  formats: {
    type: "strings",
    oneOf: FORMATS,
    default: ["tar"],
    description: "What the image is written as.",
  },
  max_size: {
    type: "string",
    default: "64G",
    description: "The most bytes that the source may unpack to.",
  },
  scratch_directory: {
    type: "string",
    description:
      "Where the tree is while it is built; `TMPDIR` or `/var/tmp` unless given.",
  },
  environment: {
    type: "map",
    description:
      "Variables of commands in the image, beside PATH, HOME, LANG and those of the OCI image.",
  },
  shell: {
    type: "string",
    default: "/bin/sh",
    description: "The shell in the image that runs commands.",
  },
  hostname: {
    type: "string",
    default: "localhost",
    description: "The name of the machine that commands see.",
  },
  network: {
    type: "string",
    oneOf: ["host", "none"],
    default: "host",
    description:
      "The network of commands: this machine's, or a loopback interface alone.",
  },
  resolv_conf: {
    type: "string",
    default: "/etc/resolv.conf",
    description:
      "A file that commands see as `/etc/resolv.conf`; empty for the image's own. It does not get into the image.",
  },
  volumes: {
    type: "map",
    description:
      "Files and directories of this machine, by their paths; the values are the paths in the image, with `:ro` at their end for read-only.",
  },
  tmpfs: {
    type: "strings",
    default: ["/run", "/tmp"],
    description:
      "Directories that are in memory while commands run: nothing of them gets into the image.",
  },
  privileged: {
    type: "boolean",
    default: false,
    description:
      "Commands run as this machine's root, and may mount its disks; device nodes are kept. Only for root, and for a source that is trusted.",
  },
  disk_size: {
    type: "string",
    description:
      "The size of the file system of ext4 and qcow2, such as `2G`; as much as the files need unless given.",
  },
  disk_label: {
    type: "string",
    default: "rootfs",
    description: "Its label, of up to 16 bytes.",
  },
  disk_uuid: {
    type: "string",
    description: "Its UUID; one that follows from its content unless given.",
  },
  oci_tag: {
    type: "string",
    default: "latest",
    description: "The image's name in the OCI layout that is written.",
  },
  oci_platform: {
    type: "string",
    description:
      "What the OCI image runs on, such as `linux/arm64`; that of the source or of this machine unless given.",
  },
  oci_entrypoint: {
    type: "strings",
    description: "The program that containers run, with its first arguments.",
  },
  oci_cmd: {
    type: "strings",
    description: "The arguments that a user may replace.",
  },
  oci_env: {
    type: "map",
    description: "Variables of containers, and of commands in the build.",
  },
  oci_labels: { type: "map", description: "Labels of the image." },
  oci_user: {
    type: "string",
    description:
      "The user that containers run as, such as `app` or `1000:1000`.",
  },
  oci_workdir: {
    type: "string",
    description: "The directory that containers start in.",
  },
  oci_exposed_ports: {
    type: "strings",
    description: "Ports that containers listen on, such as `8080/tcp`.",
  },
  oci_volumes: {
    type: "strings",
    description: "Directories of containers that are volumes.",
  },
  oci_stop_signal: {
    type: "string",
    description: "The signal that stops a container, such as `SIGQUIT`.",
  },
} as const satisfies Options;

/** What the builder gets. */
export type RootfsConfig = ConfigOf<typeof rootfsOptions>;

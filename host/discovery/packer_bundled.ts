// The components that the packer executable serves itself, by its version. The command is
// `packer plugin packer-builder-NAME` up to 1.10, `packer execute packer-builder-NAME` later.

import { compareVersions } from "./packer_installed.ts";
import type { PluginKind } from "./plugin_table.ts";

/** The names of the components, by kind. */
type Names = Readonly<Partial<Record<PluginKind, string>>>;

/** The components of every version. */
const CORE: Names = {
  builder: "file null",
  provisioner:
    "breakpoint file powershell shell shell-local sleep windows-restart windows-shell",
  "post-processor": "artifice checksum compress manifest shell-local",
};

/** In addition, up to 1.9: the plugins that were compiled in. */
const VENDORED: Names = {
  builder:
    "amazon-chroot amazon-ebs amazon-ebssurrogate amazon-ebsvolume amazon-instance azure-arm azure-chroot azure-dtl docker googlecompute qemu vagrant virtualbox-iso virtualbox-ovf virtualbox-vm vmware-iso vmware-vmx vsphere-clone vsphere-iso",
  provisioner: "ansible ansible-local azure-dtlartifact",
  "post-processor":
    "amazon-import docker-import docker-push docker-save docker-tag googlecompute-export googlecompute-import vagrant vagrant-cloud vsphere vsphere-template",
};

/** In addition, up to 1.6. */
const BUILT_IN: Names = {
  builder:
    "alicloud-ecs cloudstack digitalocean hcloud hyperone hyperv-iso hyperv-vmcx jdcloud linode lxc lxd ncloud oneandone openstack oracle-classic oracle-oci osc-bsu osc-bsusurrogate osc-bsuvolume osc-chroot parallels-iso parallels-pvm profitbricks proxmox proxmox-clone proxmox-iso scaleway tencentcloud-cvm triton ucloud-uhost yandex",
  provisioner:
    "chef-client chef-solo converge inspec puppet-masterless puppet-server salt-masterless",
  "post-processor":
    "alicloud-import digitalocean-import exoscale-import ucloud-import yandex-export yandex-import",
};

/** In addition to {@linkcode CORE}, from 1.12 on. */
const SINCE_1_12: Names = { provisioner: "hcp-sbom" };

/** In addition, from 1.16 on. */
const SINCE_1_16: Names = { "post-processor": "provenance" };

/** The components that some version of Packer serves, by kind. */
const ALL = [CORE, VENDORED, BUILT_IN, SINCE_1_12, SINCE_1_16];

/**
 * Whether some version of Packer serves a component itself.
 *
 * @param kind The kind of component.
 * @param name Its name.
 */
export function isBundledByPacker(kind: PluginKind, name: string): boolean {
  return namesOf(ALL, kind).includes(name);
}

/**
 * Returns the components that a version of Packer serves itself.
 *
 * @param kind The kind of component.
 * @param version Packer's version.
 */
export function bundledByPacker(kind: PluginKind, version: string): string[] {
  const isBefore = (limit: string) => compareVersions(version, limit) < 0;
  return namesOf([
    CORE,
    ...(isBefore("1.10.0") ? [VENDORED] : []),
    ...(isBefore("1.7.0") ? [BUILT_IN] : []),
    ...(isBefore("1.12.0") ? [] : [SINCE_1_12]),
    ...(isBefore("1.16.0") ? [] : [SINCE_1_16]),
  ], kind);
}

/**
 * Returns the subcommand with which Packer serves one of its components.
 *
 * @param version Packer's version.
 */
export function packerCommand(version: string): "plugin" | "execute" {
  return compareVersions(version, "1.11.0") < 0 ? "plugin" : "execute";
}

/**
 * Reads the version of a packer executable.
 *
 * @param path Its path.
 * @returns Undefined when it is not Packer.
 */
export async function packerVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["version"],
      // Without it Packer looks for a newer version on the internet.
      env: { CHECKPOINT_DISABLE: "1" },
      stdin: "null",
      stderr: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    return /^Packer v(\d+\.\d+\.\d+\S*)$/m.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function namesOf(lists: readonly Names[], kind: PluginKind): string[] {
  return lists.flatMap((names) => names[kind]?.split(" ") ?? []).sort();
}

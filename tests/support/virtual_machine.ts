// A small Linux for virtual machines: Debian's cloud kernel, and an initial RAM
// disk of busybox and dropbear, made once from Debian's packages.

import { join } from "@std/path";
import { run } from "./sshd.ts";

/** The Debian packages in it, in addition to the kernel's; the last four boot it from a disk or a CD. */
const PACKAGES = [
  "busybox-static",
  "dosfstools",
  "dropbear-bin",
  "libc6",
  "libcrypt1",
  "libgmp10",
  "libtomcrypt1",
  "libtommath1",
  "zlib1g",
  "isolinux",
  "ovmf",
  "syslinux-common",
  "systemd-boot-efi",
];

/** The kernel modules that it loads, in this order. */
const MODULES = [
  "virtio_ring",
  "virtio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "failover",
  "net_failover",
  "virtio_net",
  "virtio_blk",
  "scsi_common",
  "scsi_mod",
  "libata",
  "ata_piix",
  "virtio_scsi",
  "sd_mod",
  "cdrom",
  "sr_mod",
  "isofs",
  "mbcache",
  "crc16",
  "crc32c_generic",
  "nls_cp437",
  "nls_ascii",
  "fat",
  "vfat",
  "jbd2",
  "ext4",
];

/** The password of its root. */
export const VM_PASSWORD = "baler";

const INIT = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
for module in ${MODULES.join(" ")}; do
  [ ! -e /modules/$module.ko ] || insmod /modules/$module.ko || echo "no $module"
done
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
for drive in /dev/sr*; do
  mount -t iso9660 $drive /cdrom 2>/dev/null || continue
  # As cloud-init reads it from a CD with the label cidata.
  sed -n 's/^ *- \\(ssh-.*\\)/\\1/p' /cdrom/user-data >>/root/.ssh/authorized_keys 2>/dev/null
  cp /cdrom/meta-data /tmp/ 2>/dev/null
  umount /cdrom
done
chmod 600 /root/.ssh/authorized_keys 2>/dev/null
[ ! -b /dev/vda ] || mount -t ext4 /dev/vda /disk 2>/dev/null
[ ! -e /disk/boot-message ] || cat /disk/boot-message
echo "The machine is up."
dropbear -R -F -E -p 22 &
# What is typed at its keyboard.
while read -r line; do echo "$line" >>/tmp/typed; done </dev/tty1
while :; do sleep 1000; done
`;

/** A kernel and its initial RAM disk, and what boots them. */
export interface VirtualMachineImage {
  readonly kernel: string;
  readonly initrd: string;
  /** The directory of the boot loader for CDs: `isolinux.bin` and `ldlinux.c32`. */
  readonly isolinux: string;
  /** The boot loader for EFI: systemd-boot. */
  readonly efiLoader: string;
  /** The EFI firmware and its variables. */
  readonly ovmf: { readonly code: string; readonly vars: string };
}

/** Why there can be no virtual machine here, or undefined where there can. */
export const noVirtualMachine: string | undefined = await (async () => {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return "needs Linux on x86_64";
  }
  for (
    const program of [
      "qemu-system-x86_64",
      "qemu-img",
      "apt-get",
      "dpkg-deb",
      "ssh",
    ]
  ) {
    const found = await run("sh", "-c", `command -v ${program}`)
      .then(() => true, () => false);
    if (!found) return `${program} is not installed`;
  }
  try {
    await virtualMachineImage();
  } catch (error) {
    return `its packages cannot be had: ${
      (error as Error).message.slice(0, 200)
    }`;
  }
})();

/** Makes the image, or returns the one that was made before. */
export async function virtualMachineImage(): Promise<VirtualMachineImage> {
  const cache = join(
    Deno.env.get("XDG_CACHE_HOME") ||
      join(Deno.env.get("HOME") ?? "/tmp", ".cache"),
    "baler",
    "test-vm-2",
  );
  const image = {
    kernel: join(cache, "vmlinuz"),
    initrd: join(cache, "initrd"),
    isolinux: join(cache, "isolinux"),
    efiLoader: join(cache, "systemd-bootx64.efi"),
    ovmf: {
      code: join(cache, "OVMF_CODE_4M.fd"),
      vars: join(cache, "OVMF_VARS_4M.fd"),
    },
  };
  if (await Deno.stat(image.initrd).then(() => true, () => false)) return image;
  await Deno.mkdir(join(cache, ".."), { recursive: true });
  const work = await Deno.makeTempDir({ prefix: "baler-vm-" });
  try {
    const shell = (script: string) =>
      run("sh", "-ec", `cd '${work}'\n${script}`);
    await shell(`
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends/ { print $2; exit }')
apt-get download -q "$kernel" ${PACKAGES.join(" ")} >/dev/null 2>&1
mkdir packages root out
for package in *.deb; do dpkg-deb -x "$package" packages; done
cp packages/boot/vmlinuz-* out/vmlinuz
mkdir out/isolinux
cp packages/usr/lib/ISOLINUX/isolinux.bin packages/usr/lib/syslinux/modules/bios/ldlinux.c32 out/isolinux/
cp packages/usr/lib/systemd/boot/efi/systemd-bootx64.efi out/
cp packages/usr/share/OVMF/OVMF_CODE_4M.fd packages/usr/share/OVMF/OVMF_VARS_4M.fd out/
cd root
mkdir -p bin dev proc sys etc root/.ssh modules lib lib64 cdrom disk tmp run var/log
chmod 700 root root/.ssh
cp ../packages/bin/busybox bin/ 2>/dev/null || cp ../packages/usr/bin/busybox bin/
for applet in $(bin/busybox --list); do [ -e bin/$applet ] || ln -s busybox bin/$applet; done
cp ../packages/usr/sbin/dropbear bin/
cp ../packages/sbin/mkfs.fat bin/mkfs.vfat 2>/dev/null || cp ../packages/usr/sbin/mkfs.fat bin/mkfs.vfat
find ../packages \\( -name 'lib*.so*' -o -name 'ld-linux*' \\) \\( -type f -o -type l \\) |
  grep -v gconv | sort -r | while read -r library; do cp -L "$library" lib/; done
ln -s ../lib/ld-linux-x86-64.so.2 lib64/ld-linux-x86-64.so.2
for module in ${MODULES.join(" ")}; do
  find ../packages/lib/modules -name "$module.ko" -exec cp {} modules/ \\;
done
mkdir etc/dropbear
echo "root:$(openssl passwd -6 ${VM_PASSWORD}):19000:0:99999:7:::" > etc/shadow
echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group
echo /bin/sh > etc/shells
`);
    await Deno.writeTextFile(join(work, "root/init"), INIT, { mode: 0o755 });
    await shell(`
cd root
find . | bin/busybox cpio -o -H newc 2>/dev/null | gzip -1 > ../out/initrd
`);
    await Deno.rename(join(work, "out"), cache).catch(async (error) => {
      // Another test has made it meanwhile, or the cache is another file system.
      if (await Deno.stat(image.initrd).then(() => true, () => false)) return;
      await run("cp", "-r", join(work, "out"), cache);
      void error;
    });
    return image;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

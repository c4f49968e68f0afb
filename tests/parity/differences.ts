// The differences from Packer that are there on purpose, by name, each with
// its reason; docs/packer.md describes each under the same name.

/** Why baler does something else than Packer. */
export const DIFFERENCES = {
  "warnings-of-options-without-effect":
    "an option that nothing reads is a mistake",
  communicators: "winrm is not supported, which is an error before the build",
  "ssh-checked-first":
    "an invalid certificate or port is an error before the build, not at its timeout",
  "communicator-local": "provisioners can work on this machine",
  "null-builder": "Packer crashes at a builder that is null",
  "one-name-two-builds":
    "two builds of one name cannot be distinguished, and one of them would be lost",
  bom: "editors put a byte order mark in front of a file",
  proto: "no key of a template may be taken for JavaScript's prototype",
  "failed-file-builder":
    "a failed build leaves no artifact that is not reported",
  "compression-levels": "a level that cannot be is refused before the build",
  "archive-modes": "an archive is not readable by more users than its files",
  "no-xz": "there is no xz to compress with",
  "text-behind-variables":
    "what stands behind the object would be lost in silence",
  globs: "names are selected by pattern in JSON templates, too",
  "source-is-target": "Packer empties the file that it should copy",
  "braces-in-values":
    "the value of a variable is a text, whatever braces the environment put into it",
  "clean-resource-name": "in Packer it exists only in the builders of clouds",
  "artifice-patterns": "Packer crashes at a pattern that is broken",
  "input-of-the-next":
    "what a sequence discards, the sequences after it can still read",
  "checksum-of-its-own-file":
    "the sum of a file that is being written is of no file that there will be",
  "compress-checks-first":
    "what cannot be packed leaves no empty archive behind",
  "spaces-in-lists": "a space after a comma is not part of a name",
  "usage-errors":
    "a command line that is not understood ends with exit code 2 and one line, not the whole help",
  "flags-anywhere": "a flag may follow the template",
  "sensitive-hidden": "Packer shows sensitive values in the events",
  "inspect-text": "inspect shows post-processors, too; its events are the same",
  "fix-text": "what a person wrote is shown as it was written",
  "fixes-of-other-plugins":
    "baler fixes only the configuration of bundled components",
  "timeout-after-pause":
    "Packer forgets the timeout of a provisioner that waits before it",
  "no-nanoseconds":
    "a duration without a unit, which Packer takes for nanoseconds, is meant as something else",
  "sleep-variables": "every option may have templates in it",
  "internal-keys":
    "a key that nothing reads is a mistake, whatever it begins with",
} as const satisfies Readonly<Record<string, string>>;

/** The name of a difference. */
export type DifferenceName = keyof typeof DIFFERENCES;

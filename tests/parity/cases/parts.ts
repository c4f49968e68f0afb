// The parts that most cases share.

/** A builder that creates `a.txt`, with the given options. */
export const aFile = (more: Record<string, unknown> = {}) => ({
  type: "file",
  content: "text of a",
  target: "a.txt",
  ...more,
});

/** A builder that makes nothing. */
export const nothing = (more: Record<string, unknown> = {}) => ({
  type: "null",
  communicator: "none",
  ...more,
});

/** A script on this machine. */
export const local = (line: string, more: Record<string, unknown> = {}) => ({
  type: "shell-local",
  inline: [line],
  ...more,
});

/** A template of a build that makes nothing and runs these. */
export const provisioned = (...provisioners: unknown[]) => ({
  builders: [nothing()],
  provisioners,
});

/** A template of a build that makes `a.txt` and packs it with these. */
export const packed = (...postProcessors: unknown[]) => ({
  builders: [aFile()],
  "post-processors": postProcessors,
});

/** The words of `build` with these flags. */
export const build = (...flags: string[]) => [
  "build",
  "-machine-readable",
  ...flags,
  "template.json",
];

/** The words of `validate` with these flags. */
export const validate = (...flags: string[]) => [
  "validate",
  "-machine-readable",
  ...flags,
  "template.json",
];

/** The words of `inspect`. */
export const inspect = ["inspect", "-machine-readable", "template.json"];

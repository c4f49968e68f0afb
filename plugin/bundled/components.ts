// The components that ship with baler, by kind and name, each loaded only when
// it is asked for.

/** Loads a component, whose class is its module's default. */
export type Load = () => Promise<{ default: new () => object }>;

/** The components that ship with baler. */
export const BUNDLED: Readonly<Record<string, Readonly<Record<string, Load>>>> =
  {
    builder: {
      file: () => import("./builder_file.ts"),
      null: () => import("./builder_null.ts"),
    },
    provisioner: {
      breakpoint: () => import("./provisioner_breakpoint.ts"),
      file: () => import("./provisioner_file.ts"),
      shell: () => import("./provisioner_shell.ts"),
      "shell-local": () => import("./provisioner_shell_local.ts"),
      sleep: () => import("./provisioner_sleep.ts"),
    },
    "post-processor": {
      artifice: () => import("./post_processor_artifice.ts"),
      checksum: () => import("./post_processor_checksum.ts"),
      compress: () => import("./post_processor_compress.ts"),
      manifest: () => import("./post_processor_manifest.ts"),
      "shell-local": () => import("./post_processor_shell_local.ts"),
    },
  };

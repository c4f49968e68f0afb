// The components that ship with baler, by kind and name, each loaded only when
// it is asked for.

/** Loads a component, whose class is its module's default. */
export type Load = () => Promise<{ default: new () => object }>;

/** The components that ship with baler. */
export const BUNDLED: Readonly<Record<string, Readonly<Record<string, Load>>>> =
  {
    builder: {
      file: () => import("./builders/file.ts"),
      null: () => import("./builders/null.ts"),
    },
    provisioner: {
      breakpoint: () => import("./provisioners/breakpoint.ts"),
      file: () => import("./provisioners/file.ts"),
      powershell: () => import("./provisioners/powershell.ts"),
      shell: () => import("./provisioners/shell.ts"),
      "shell-local": () => import("./provisioners/shell_local.ts"),
      sleep: () => import("./provisioners/sleep.ts"),
      "windows-restart": () => import("./provisioners/windows_restart.ts"),
      "windows-shell": () => import("./provisioners/windows_shell.ts"),
    },
    "post-processor": {
      artifice: () => import("./post_processors/artifice.ts"),
      checksum: () => import("./post_processors/checksum.ts"),
      compress: () => import("./post_processors/compress.ts"),
      manifest: () => import("./post_processors/manifest.ts"),
      "shell-local": () => import("./post_processors/shell_local.ts"),
    },
  };

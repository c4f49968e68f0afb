// The bundled components by kind and name. Each is loaded when a build uses it.

/** Loads a component: the default export of a module is its class. */
export type Load = () => Promise<{ default: new () => object }>;

/** The bundled components. */
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

// The options of the docker builder: Packer's names and defaults.
// Source: https://developer.hashicorp.com/packer/integrations/hashicorp/docker

import { sshOptions } from "../../builder/ssh/ssh_options.ts";
import type { ConfigOf, Options } from "../../contract/options.ts";

/** The program, for the builder and the post-processors. */
export const programOption = {
  docker_path: {
    type: "string",
    default: "docker",
    description: "The program to run: `docker`, `podman`, or a path.",
  },
} as const satisfies Options;

/** The login to a registry, for the builder and docker-push. */
export const loginOptions = {
  login: {
    type: "boolean",
    default: false,
    description:
      "Log in to the registry before, and out after it is used. The user's own login stays.",
  },
  login_server: {
    type: "string",
    default: "",
    description: "The registry to log in to; Docker Hub unless given.",
  },
  login_username: {
    type: "string",
    default: "",
    description: "The user to log in as.",
  },
  login_password: {
    type: "string",
    default: "",
    description:
      "The user's password. It is given to the program on its standard input.",
  },
  ecr_login: {
    type: "boolean",
    default: false,
    description:
      "Log in to Amazon ECR, whose address is `login_server`, with the AWS CLI (`aws`).",
  },
  aws_access_key: {
    type: "string",
    description: "The AWS access key; as the AWS CLI finds it unless given.",
  },
  aws_secret_key: {
    type: "string",
    description: "The AWS secret key.",
  },
  aws_token: {
    type: "string",
    description: "The token of a temporary AWS session.",
  },
  aws_profile: {
    type: "string",
    description: "The profile in the AWS CLI's configuration.",
  },
  aws_force_use_public_ecr: {
    type: "boolean",
    default: false,
    description:
      "The registry is ECR Public, although its address is not public.ecr.aws.",
  },
} as const satisfies Options;

/** The options of `build`, an object in the template. */
export const buildOptions = {
  path: {
    type: "string",
    required: true,
    description: "The path of the Dockerfile.",
  },
  build_dir: {
    type: "string",
    default: ".",
    description: "The directory that is the context of the build.",
  },
  arguments: {
    type: "map",
    description: "The build arguments (`--build-arg`).",
  },
  pull: {
    type: "boolean",
    default: true,
    description: "Pull the images that the Dockerfile begins with.",
  },
  compress: {
    type: "boolean",
    default: false,
    description: "Compress the context before it is sent to the daemon.",
  },
} as const satisfies Options;

/** What the builder takes. */
export const dockerOptions = {
  image: {
    type: "string",
    description: "The image to start from; either this or `build` is given.",
  },
  build: {
    type: "any",
    interpolate: false,
    description: "A Dockerfile to make the image from: see below.",
  },
  pull: {
    type: "boolean",
    description:
      "Pull the image first: true unless given, or unless there is `build`.",
  },
  platform: {
    type: "string",
    description: "The platform of the image, such as `linux/arm64`.",
  },
  commit: {
    type: "boolean",
    default: false,
    description:
      "Commit the container to an image. One of `commit`, `discard` and `export_path` must be given.",
  },
  discard: {
    type: "boolean",
    default: false,
    description: "Throw the container away.",
  },
  export_path: {
    type: "string",
    default: "",
    description: "The tar file to export the container's file system to.",
  },
  changes: {
    type: "strings",
    default: [] as string[],
    description:
      "Dockerfile instructions for the commit, such as `EXPOSE 80`. `CMD` and `ENTRYPOINT` stay those of the image unless given.",
  },
  author: {
    type: "string",
    default: "",
    description: "The author of the commit.",
  },
  message: {
    type: "string",
    default: "",
    description: "The message of the commit.",
  },
  run_command: {
    type: "strings",
    default: ["-d", "-i", "-t", "--entrypoint=/bin/sh", "--", "{{.Image}}"],
    interpolate: false,
    description:
      "The arguments of `docker run`. `{{.Image}}` is the image; the container must run in the background (`-d`).",
  },
  volumes: {
    type: "map",
    default: {} as Record<string, string>,
    description:
      "Directories of this machine (`~/` is the home directory) and where the container has them.",
  },
  container_dir: {
    type: "string",
    default: "/packer-files",
    description:
      "Where the container has a temporary directory of this machine.",
  },
  privileged: {
    type: "boolean",
    default: false,
    description: "Give the container all privileges.",
  },
  cap_add: {
    type: "strings",
    default: [] as string[],
    description: "Linux capabilities that the container has in addition.",
  },
  cap_drop: {
    type: "strings",
    default: [] as string[],
    description: "Linux capabilities that the container does not have.",
  },
  device: {
    type: "strings",
    default: [] as string[],
    description: "Devices of this machine that the container has.",
  },
  tmpfs: {
    type: "strings",
    default: [] as string[],
    description: "Paths of temporary file systems in the container.",
  },
  runtime: {
    type: "string",
    description: "The container runtime, such as `runsc`.",
  },
  exec_user: {
    type: "string",
    description:
      "The user (or `UID:GID`) that commands run as; the container's unless given.",
  },
  pty: {
    type: "boolean",
    default: false,
    description:
      "Run commands in a terminal (`docker exec -t`). Docker refuses it where baler has none.",
  },
  fix_upload_owner: {
    type: "boolean",
    default: true,
    description: "Uploaded files belong to the container's user, not to root.",
  },
  windows_container: {
    type: "boolean",
    default: false,
    description:
      "Refused: Windows containers are built by Packer's docker plugin, which baler runs, too.",
  },
  ...programOption,
  ...loginOptions,
  communicator: {
    type: "string",
    default: "docker",
    oneOf: ["docker", "ssh", "none"],
    description:
      "How provisioners reach the container: `docker` (`docker exec`), `ssh` to the sshd in it, or `none`.",
  },
  ...sshOptions,
} as const satisfies Options;

/** The decoded options. */
export type DockerConfig = ConfigOf<typeof dockerOptions>;

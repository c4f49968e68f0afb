// The login to a registry for as long as it is used. The credentials are in a
// temporary configuration of their own: builds that run at once do not log each
// other out, and the user's own login stays.

import { basename, join } from "@std/path";
import { runProgram } from "../../builder/run_program.ts";
import { TemporaryDirectory } from "../../builder/temporary_directory.ts";
import type { ConfigProblem } from "../../contract/config_error.ts";
import type { ConfigOf } from "../../contract/options.ts";
import type { Ui } from "../../contract/ui.ts";
import type { loginOptions } from "./docker_options.ts";
import type { Docker } from "./docker_program.ts";

/** The decoded options of a login. */
export type LoginConfig = ConfigOf<typeof loginOptions>;

/** The region in which ECR Public gives its passwords. */
const ECR_PUBLIC_REGION = "us-east-1";

/** A private registry of Amazon ECR, with its region. */
const ECR_HOST = /^(?:https?:\/\/)?\d+\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/;

/**
 * Checks the options of a login.
 *
 * @param config The options.
 * @returns What is wrong with them.
 */
export function loginProblems(config: LoginConfig): ConfigProblem[] {
  if (!config.ecr_login) return [];
  if (config.login_server === "") {
    return [{
      path: ["ecr_login"],
      message: "ECR login requires login_server to be given",
    }];
  }
  if (isPublicEcr(config) || ECR_HOST.test(config.login_server)) return [];
  return [{
    path: ["login_server"],
    message:
      `login_server ${config.login_server} is not an ECR registry: it must be ACCOUNT.dkr.ecr.REGION.amazonaws.com`,
  }];
}

/** Who uses a registry, and what for. */
export interface LoginUse {
  /** The program. */
  docker: Docker;
  /** The options of the login. */
  config: LoginConfig;
  /** Where the login is shown. */
  ui: Ui;
  /** Stops when aborted. */
  signal: AbortSignal;
}

/**
 * Logs in where the options say so, does some work, and logs out.
 *
 * @param use The options.
 * @param work The work; it gets the program with the credentials.
 * @throws {Error} When the login fails, or what the work throws.
 */
export async function withLogin<T>(
  { docker, config, ui, signal }: LoginUse,
  work: (docker: Docker) => Promise<T>,
): Promise<T> {
  if (!config.login && !config.ecr_login) return await work(docker);
  await using directory = await TemporaryDirectory.create({
    prefix: "baler-docker-login-",
  });
  const own = docker.with(await ownConfiguration(directory.path));
  let [user, password] = [config.login_username, config.login_password];
  if (config.ecr_login) {
    await ui.message("Fetching ECR credentials...");
    [user, password] = ["AWS", await ecrPassword(config, signal)];
  }
  const server = config.login_server === "" ? [] : [config.login_server];
  await ui.message("Logging in...");
  try {
    await own.show(
      [
        "login",
        ...(user ? ["-u", user] : []),
        ...(password ? ["--password-stdin"] : []),
        ...server,
      ],
      ui,
      { signal, ...(password ? { stdin: password } : {}) },
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`Error logging in: ${(error as Error).message}`);
  }
  try {
    return await work(own);
  } finally {
    await ui.message("Logging out...");
    // A credential store of the user's may have the password.
    await own.show(["logout", ...server], ui).catch((error) =>
      ui.error(`Error logging out: ${error.message}`)
    );
  }
}

/**
 * Makes a copy of the user's configuration of docker and podman, with what is
 * logged in already.
 *
 * @returns The variables with which the programs use it.
 */
async function ownConfiguration(
  directory: string,
): Promise<Record<string, string>> {
  const { env } = Deno;
  const home = env.get("HOME") ?? env.get("USERPROFILE") ?? "";
  const docker = env.get("DOCKER_CONFIG") || join(home, ".docker");
  const auth = join(directory, "auth.json");
  const podman = env.get("REGISTRY_AUTH_FILE") ||
    join(env.get("XDG_RUNTIME_DIR") || "/run/user/0", "containers/auth.json");
  await copyIfThere(
    join(docker, "config.json"),
    join(directory, "config.json"),
  );
  if (!await copyIfThere(podman, auth)) {
    await Deno.writeTextFile(auth, '{"auths":{}}', { mode: 0o600 });
  }
  // Docker's contexts and plugins are beside its configuration.
  for (const name of ["contexts", "cli-plugins"]) {
    const path = join(docker, name);
    if (await isThere(path)) {
      await Deno.symlink(path, join(directory, basename(path)));
    }
  }
  return { DOCKER_CONFIG: directory, REGISTRY_AUTH_FILE: auth };
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await Deno.writeFile(to, await Deno.readFile(from), { mode: 0o600 });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function isPublicEcr(config: LoginConfig): boolean {
  return config.aws_force_use_public_ecr ||
    config.login_server.includes("public.ecr.aws");
}

/** The password of ECR, from the AWS CLI, which finds credentials in all of AWS's ways. */
async function ecrPassword(
  config: LoginConfig,
  signal: AbortSignal,
): Promise<string> {
  const region = ECR_HOST.exec(config.login_server)?.[1];
  const service = isPublicEcr(config)
    ? ["ecr-public", "get-login-password", "--region", ECR_PUBLIC_REGION]
    : ["ecr", "get-login-password", "--region", region!];
  const env: Record<string, string> = {};
  if (config.aws_access_key) env.AWS_ACCESS_KEY_ID = config.aws_access_key;
  if (config.aws_secret_key) env.AWS_SECRET_ACCESS_KEY = config.aws_secret_key;
  if (config.aws_token) env.AWS_SESSION_TOKEN = config.aws_token;
  if (config.aws_profile) env.AWS_PROFILE = config.aws_profile;
  try {
    return (await runProgram(["aws", ...service], { env, signal })).trim();
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(
      `Error fetching ECR credentials: ${
        (error as Error).message
      } (ecr_login needs the AWS CLI, version 2)`,
    );
  }
}

/**
 * The builder's toolbox: what every builder needs that reaches a machine. A
 * plugin that does not import it does not pay for it.
 *
 * @module
 */

export { CommandCommunicator } from "./communicators/command_communicator.ts";
export {
  LocalCommunicator,
  type LocalCommunicatorOptions,
} from "./communicators/local.ts";
export { NoneCommunicator } from "./communicators/none.ts";
export {
  LocalProcess,
  type LocalProcessOptions,
} from "../process/local_process.ts";
export type { GroupMember } from "../process/process_group.ts";
export {
  FilesArtifact,
  type FilesArtifactOptions,
} from "../files/files_artifact.ts";
export { SshCommunicator } from "./ssh/ssh_communicator.ts";
export {
  SshConnectionLostError,
  type SshConnectionOptions,
  SshTimeoutError,
} from "./ssh/ssh_connection.ts";
export type { SshTarget } from "./ssh/open_ssh.ts";
export {
  type CommunicatorConfig,
  communicatorOptions,
  type SshConfig,
  sshOptions,
  sshProblems,
} from "./ssh/ssh_options.ts";
export {
  clearAuthorizedKeysStep,
  type ConnectOptions,
  connectStep,
} from "./connect.ts";
export { type KeyPairState, keyPairStep } from "./key_pair_step.ts";
export { runSteps, type Step, type StepContext } from "./steps.ts";
export { HttpServer, type HttpServerOptions } from "./http_server.ts";
export {
  type HttpConfig,
  httpOptions,
  httpProblems,
  httpServerStep,
  type HttpState,
} from "./http_options.ts";
export { type KeyPairOptions, TemporaryKeyPair } from "./ssh/key_pair.ts";
export { poll, type PollOptions, retry, type RetryOptions } from "./retry.ts";
export {
  cacheDirectory,
  type Checksum,
  ChecksumError,
  download,
  type DownloadOptions,
  parseChecksum,
  resolveChecksum,
} from "./download.ts";
export {
  downloadStep,
  type IsoConfig,
  isoOptions,
  isoProblems,
  type IsoState,
  isoUrls,
} from "./iso.ts";
export {
  type OutputDirectoryOptions,
  outputDirectoryProblems,
  type OutputDirectoryState,
  outputDirectoryStep,
} from "./output_directory.ts";
export { type ProvisionOptions, provisionStep } from "./provision.ts";
export { type BootAction, parseBootCommand } from "./boot_command.ts";
export {
  bootCommandProblems,
  type BootConfig,
  bootOptions,
} from "./boot_options.ts";
export { type ShutdownConfig, shutdownOptions } from "./shutdown_options.ts";
export { type ImageFile, iso9660, type IsoOptions } from "./images/iso9660.ts";
export { type CdImageOptions, writeCdImage } from "./cd_image.ts";
export {
  type CdConfig,
  cdOptions,
  type CdState,
  cdStep,
  type CdStepOptions,
} from "./cd_options.ts";
export { findProgram } from "./find_program.ts";
export { freePort, portRangeProblems } from "./ports.ts";
export { runProgram, type RunProgramOptions } from "./run_program.ts";
export {
  TemporaryDirectory,
  type TemporaryDirectoryOptions,
} from "./temporary_directory.ts";

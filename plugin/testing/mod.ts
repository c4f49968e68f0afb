/**
 * Tests for components: runs a component in the test's process or over the real
 * wire, with a ui, a hook and a machine that record what it does.
 *
 * @module
 */

export {
  checkCommunicator,
  type CheckCommunicatorOptions,
} from "./check_communicator.ts";
export { buildContext } from "./build_context.ts";
export {
  type BuilderUnderTest,
  type CommandOutcome,
  type CommandUnderTest,
  type ComponentUnderTest,
  type PostProcessorUnderTest,
  type ProvisionerUnderTest,
  testBuilder,
  testCommand,
  type TestOptions,
  testPostProcessor,
  testProvisioner,
} from "./component_under_test.ts";
export {
  type CommandHandler,
  type CommandResult,
  MemoryCommunicator,
  type MemoryFile,
} from "./memory_communicator.ts";
export { checkOptionTables, optionsTable } from "./option_tables.ts";
export { PluginProgram, type PluginProgramOptions } from "./plugin_program.ts";
export {
  type HookCall,
  type Provisions,
  RecordingHook,
} from "./recording_hook.ts";
export { RecordingUi } from "./recording_ui.ts";

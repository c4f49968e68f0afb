/**
 * The builder's toolbox: what every builder needs that reaches a machine. A
 * plugin that does not import it does not pay for it.
 *
 * @module
 */

export { CommandCommunicator } from "./communicators/command_communicator.ts";

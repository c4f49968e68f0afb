// The host's ui: shows the lines and events of its own steps, its builds and
// their plugins, as text or as machine-readable events, and logs them.

import type { Progress, Ui } from "../../plugin/contract/ui.ts";
import type { Log } from "../log/log.ts";
import type { CutEnds } from "../log/redactor.ts";
import { machineReadableLine } from "./machine_readable.ts";
import { OutputBacklog, PluginUi, type UiBackend } from "./plugin_ui.ts";
import type { Screen } from "./screen.ts";

/** The options of a ui. */
export interface UiOptions {
  /** Shows the output. */
  screen: Screen;
  /** The log that also gets the output. */
  log: Log;
  /** Whether to print events instead of text. */
  machineReadable: boolean;
  /** Whether to print colors. */
  color: boolean;
  /** Whether to prefix the lines of builds with the time. */
  timestamps?: boolean;
  /** Replaces secrets, and parts of them at the ends at which a text was cut off. */
  redact?(text: string, cut?: CutEnds): string;
}

type LineKind = "say" | "message" | "error";

const RED = "1;31";

/** The colors of builds, as SGR parameters, in the order in which builds get them. */
const BUILD_COLORS = ["32", "36", "35", "33", "34"];

/** The host's own ui, which creates the ui of each build. */
export class HostUi implements Ui, UiBackend {
  readonly #options: UiOptions;
  /** Resolves when the log has room; undefined when it has room now. */
  #logRoom: Promise<void> | undefined;

  constructor(options: UiOptions) {
    this.#options = options;
  }

  /** Whether builds have different colors. */
  get hasColor(): boolean {
    return this.#options.color && !this.#options.machineReadable;
  }

  /** Whether it shows events instead of text. */
  get isMachineReadable(): boolean {
    return this.#options.machineReadable;
  }

  /** Resolves when the screen and the log have room; undefined where they have. */
  get room(): Promise<void> | undefined {
    return this.#options.screen.room ?? this.#logRoom;
  }

  say(line: string): void {
    this.#show("say", line);
  }

  message(line: string): void {
    this.#show("message", line);
  }

  error(line: string): void {
    this.#show("error", line, RED);
  }

  machine(category: string, ...data: string[]): void {
    this.event("", category, data);
  }

  ask(query: string, signal?: AbortSignal, color?: string): Promise<string> {
    if (this.#options.machineReadable) {
      return Promise.reject(
        new Error("cannot prompt with -machine-readable"),
      );
    }
    return this.#options.screen.ask(
      this.redacted(query),
      signal,
      this.#options.color ? color : undefined,
    );
  }

  progress(progress: Progress, owner = ""): void {
    if (this.#options.machineReadable) return;
    const label = this.redacted(progress.label);
    const { unit } = progress;
    this.#options.screen.progress(owner, {
      ...progress,
      label,
      ...(unit === undefined ? {} : { unit: this.redacted(unit) }),
    });
  }

  /** Removes the progress of work that does not report its end. */
  endProgress(owner?: string): void {
    this.#options.screen.endProgress(owner);
  }

  /**
   * Returns the ui of one build.
   *
   * @param name The prefix of each line.
   * @param index The index of the build, which decides its color.
   */
  forBuild(name: string, index: number): BuildUi {
    return new BuildUi(this, name, BUILD_COLORS[index % BUILD_COLORS.length]!);
  }

  /** Shows a line of a build. */
  showOfBuild(kind: LineKind, text: string, color: string): void {
    this.#show(kind, text, color, this.#options.timestamps);
  }

  /** Shows the color of a build, without a timestamp, as in Packer. */
  showColor(text: string, color: string): void {
    this.#show("say", text, color);
  }

  #show(
    kind: LineKind,
    text: string,
    color?: string,
    timestamped = false,
  ): void {
    const { screen, log, machineReadable } = this.#options;
    const redacted = this.redacted(text);
    const logRoom = log.write("ui", redacted.split("\n"));
    if (logRoom instanceof Promise) this.#waitForLog(logRoom);
    if (machineReadable) {
      screen.writeLine(machineReadableLine("", "ui", [kind, redacted]));
      return;
    }
    const line = timestamped
      ? `${new Date().toISOString().slice(0, 19)}Z: ${redacted}`
      : redacted;
    screen.writeLine(line, this.#options.color ? color : undefined);
  }

  #waitForLog(room: Promise<void>): void {
    this.#logRoom = room.then(() => this.#logRoom = undefined);
  }

  /** Prints an event in machine-readable output; otherwise does nothing. */
  event(target: string, type: string, data: readonly string[]): void {
    if (!this.#options.machineReadable) return;
    this.#options.screen.writeLine(
      machineReadableLine(
        this.redacted(target),
        this.redacted(type),
        data.map((one) => this.redacted(one)),
      ),
    );
  }

  /**
   * Replaces the secrets in a text; idempotent.
   *
   * @param text The text.
   * @param cut Which ends of the text were cut off.
   */
  redacted(text: string, cut?: CutEnds): string {
    return this.#options.redact?.(text, cut) ?? text;
  }
}

/** A text of this length, in characters, may be a part of a longer one that its writer has split. */
const MIN_SPLIT_LENGTH = 1024;

/** The ui of one build, or of one step of it: each line has its name as prefix. */
export class BuildUi implements Ui, UiBackend {
  readonly #host: HostUi;
  readonly #name: string;
  readonly #target: string;
  readonly #color: string;
  /** The kinds of line whose last one was perhaps split. */
  readonly #isCut = new Set<LineKind>();
  /** Cancels the questions of this build; replaced at the end of each run. */
  readonly #questions: { cancelQuestions: AbortController };
  /** The output of this build's plugins that waits for room. */
  readonly #backlog: OutputBacklog;
  /** This ui for plugins. */
  readonly forPlugins: PluginUi;

  constructor(
    host: HostUi,
    name: string,
    color: string,
    target = name,
    questions = { cancelQuestions: new AbortController() },
    backlog = new OutputBacklog(),
  ) {
    this.#host = host;
    this.#name = name;
    this.#target = target;
    this.#color = color;
    this.#questions = questions;
    this.#backlog = backlog;
    this.forPlugins = new PluginUi(this, backlog);
  }

  /** Resolves when the screen and the log have room; undefined where they have. */
  get room(): Promise<void> | undefined {
    return this.#host.room;
  }

  /** Resolves when the output of this build's plugins may be read again; undefined when it may be read now. */
  get pause(): Promise<void> | undefined {
    return this.#backlog.pause;
  }

  /** Returns the ui of a step of this build, for example a post-processor. */
  forStep(step: string): BuildUi {
    return new BuildUi(
      this.#host,
      `${this.#target} (${step})`,
      this.#color,
      this.#target,
      this.#questions,
      this.#backlog,
    );
  }

  say(line: string): void {
    this.#host.showOfBuild(
      "say",
      this.#prefixed("==>", this.#part("say", line)),
      `1;${this.#color}`,
    );
  }

  message(line: string): void {
    this.#host.showOfBuild(
      "message",
      this.#prefixed("   ", this.#part("message", line)),
      `0;${this.#color}`,
    );
  }

  error(line: string): void {
    this.#host.showOfBuild(
      "error",
      this.#prefixed("==>", this.#part("error", line)),
      RED,
    );
  }

  machine(category: string, ...data: string[]): void {
    this.#host.event(this.#target, category, data);
  }

  ask(query: string, signal?: AbortSignal): Promise<string> {
    const { cancelQuestions } = this.#questions;
    return this.#host.ask(
      this.#prefixed("==>", this.#host.redacted(query)),
      signal === undefined
        ? cancelQuestions.signal
        : AbortSignal.any([cancelQuestions.signal, signal]),
      `1;${this.#color}`,
    );
  }

  progress(progress: Progress): void {
    const label = `${this.#name}: ${progress.label}`;
    this.#host.progress({ ...progress, label }, this.#target);
  }

  /** Removes the progress of work that this build has not finished, and cancels its questions. */
  end(): void {
    this.#host.endProgress(this.#target);
    const { cancelQuestions } = this.#questions;
    this.#questions.cancelQuestions = new AbortController();
    cancelQuestions.abort(new Error("the build has ended"));
  }

  /** Shows a line of the build without a prefix, in its color. */
  showUnprefixed(kind: "say" | "error", line: string): void {
    this.#host.showOfBuild(
      kind,
      line,
      kind === "error" ? RED : `1;${this.#color}`,
    );
  }

  /** Shows the color of its lines. */
  announceColor(): void {
    this.#host.showColor(
      `${this.#name}: output will be in this color.`,
      `1;${this.#color}`,
    );
  }

  /**
   * Redacts a text before it is split into prefixed lines. The end of a long text
   * and the beginning of the next one may be parts of one secret.
   */
  #part(kind: LineKind, line: string): string {
    const before = this.#isCut.has(kind);
    const after = line.length >= MIN_SPLIT_LENGTH;
    if (after) this.#isCut.add(kind);
    else this.#isCut.delete(kind);
    return this.#host.redacted(line, { before, after });
  }

  #prefixed(arrow: string, text: string): string {
    return text.split("\n").map((line) => `${arrow} ${this.#name}: ${line}`)
      .join("\n").trimEnd();
  }
}

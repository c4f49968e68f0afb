// The host's ui: what its own steps, its builds and their plugins show, as
// text for people or as events for programs, and all of it in the log too.

import type { Progress, Ui } from "../../plugin/contract/ui.ts";
import type { Log } from "../log/log.ts";
import type { CutEnds } from "../log/redactor.ts";
import { machineReadableLine } from "./machine_readable.ts";
import type { Screen } from "./screen.ts";

/** How the host shows what it has to show. */
export interface UiOptions {
  /** Where it is shown. */
  screen: Screen;
  /** Where it is logged. */
  log: Log;
  /** True for events instead of text. */
  machineReadable: boolean;
  /** False for text without colours. */
  color: boolean;
  /** True to put the time in front of what builds show. */
  timestamps?: boolean;
  /** Replaces secrets, and parts of them at the ends at which a text was cut. */
  redact?(text: string, cut?: CutEnds): string;
}

type LineKind = "say" | "message" | "error";

const RED = "1;31";

/** The colours of builds, as SGR parameters, in the order in which they get them. */
const BUILD_COLORS = ["32", "36", "35", "33", "34"];

/** The host's own ui, from which each build gets one. */
export class HostUi implements Ui {
  readonly #options: UiOptions;

  constructor(options: UiOptions) {
    this.#options = options;
  }

  /** Whether builds are told apart by colours. */
  get hasColor(): boolean {
    return this.#options.color && !this.#options.machineReadable;
  }

  /** Whether it shows events instead of text. */
  get isMachineReadable(): boolean {
    return this.#options.machineReadable;
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
        new Error("nobody can be asked when the output is machine-readable"),
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
    const { label, current, total, unit, done } = progress;
    this.#options.screen.progress(owner, {
      label: this.redacted(String(label)),
      current: Number(current),
      ...(total === undefined ? {} : { total: Number(total) }),
      ...(unit === undefined ? {} : { unit: this.redacted(String(unit)) }),
      ...(done === undefined ? {} : { done }),
    });
  }

  /** Takes away what is shown of work whose end nobody reports any more. */
  endProgress(owner?: string): void {
    this.#options.screen.endProgress(owner);
  }

  /**
   * The ui of one build.
   *
   * @param name What stands in front of each line.
   * @param index Which of the builds it is, from 0: the colour follows from it.
   */
  forBuild(name: string, index: number): BuildUi {
    return new BuildUi(this, name, BUILD_COLORS[index % BUILD_COLORS.length]!);
  }

  /** Shows a build's line of a kind, in a colour where colours are wanted. */
  showOfBuild(kind: LineKind, text: string, color: string): void {
    this.#show(kind, text, color, this.#options.timestamps);
  }

  /** Shows a person a colour before the builds begin, and so without a time in front. */
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
    const seen = this.redacted(text);
    log.write("ui", seen.split("\n"));
    if (machineReadable) {
      screen.writeLine(machineReadableLine("", "ui", [kind, seen]));
      return;
    }
    const line = timestamped
      ? `${new Date().toISOString().slice(0, 19)}Z: ${seen}`
      : seen;
    screen.writeLine(line, this.#options.color ? color : undefined);
  }

  /** Shows an event to programs; people see nothing. */
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
   * A text without secrets. To redact it again changes nothing.
   *
   * @param text The text.
   * @param cut At which of its ends it was cut.
   */
  redacted(text: string, cut?: CutEnds): string {
    return this.#options.redact?.(text, cut) ?? text;
  }
}

/** A text of this length may be a part of a longer one that its writer has cut. */
const CUT_LENGTH = 1024;

/** The ui of one build, or of one step of it: each line says whose it is. */
export class BuildUi implements Ui {
  readonly #host: HostUi;
  readonly #name: string;
  readonly #target: string;
  readonly #color: string;
  /** What gives up the questions of this build; another one for each time. */
  /** The kinds of text whose last one was perhaps cut. */
  readonly #isCut = new Set<LineKind>();
  readonly #questions: { cancelQuestions: AbortController };

  constructor(
    host: HostUi,
    name: string,
    color: string,
    target = name,
    questions = { cancelQuestions: new AbortController() },
  ) {
    this.#host = host;
    this.#name = name;
    this.#target = target;
    this.#color = color;
    this.#questions = questions;
  }

  /** The ui of a step of this build, for example a post-processor. */
  forStep(step: string): BuildUi {
    return new BuildUi(
      this.#host,
      `${this.#target} (${step})`,
      this.#color,
      this.#target,
      this.#questions,
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
    // A component may name another target, as `"target,category"`.
    const comma = category.indexOf(",");
    if (comma === -1) this.#host.event(this.#target, category, data);
    else {
      this.#host.event(
        category.slice(0, comma),
        category.slice(comma + 1),
        data,
      );
    }
  }

  ask(query: string, signal?: AbortSignal): Promise<string> {
    const { cancelQuestions } = this.#questions;
    return this.#host.ask(
      this.#prefixed("==>", this.#host.redacted(String(query))),
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

  /** Takes away what is shown of work that this build has not finished, and what it asks. */
  end(): void {
    this.#host.endProgress(this.#target);
    const { cancelQuestions } = this.#questions;
    this.#questions.cancelQuestions = new AbortController();
    cancelQuestions.abort(new Error("the build that asked has ended"));
  }

  /** A line of the build that has no prefix, in its colour. */
  showUnprefixed(kind: "say" | "error", line: string): void {
    this.#host.showOfBuild(
      kind,
      line,
      kind === "error" ? RED : `1;${this.#color}`,
    );
  }

  /** Tells in which colour its lines will be. */
  announceColor(): void {
    this.#host.showColor(
      `${this.#name}: output will be in this color.`,
      `1;${this.#color}`,
    );
  }

  /**
   * A text without secrets, redacted before prefixes cut it into lines. The end
   * of a long text and the beginning of the next one may be parts of one secret.
   */
  #part(kind: LineKind, line: string): string {
    const text = String(line);
    const before = this.#isCut.has(kind);
    const after = text.length >= CUT_LENGTH;
    if (after) this.#isCut.add(kind);
    else this.#isCut.delete(kind);
    return this.#host.redacted(text, { before, after });
  }

  #prefixed(arrow: string, text: string): string {
    return String(text).split("\n").map((line) =>
      `${arrow} ${this.#name}: ${line}`
    ).join("\n").trimEnd();
  }
}

// Retrying and polling, with an end: a number of attempts, a duration, a signal.

import { delay } from "../common/delay.ts";

/** How {@linkcode retry} retries. */
export interface RetryOptions {
  /** Gives up when aborted. */
  signal: AbortSignal;
  /** The most attempts; 5 unless given. */
  attempts?: number;
  /** The pause after the first failure, in milliseconds; 1,000 unless given. */
  pauseMs?: number;
  /** What each pause is multiplied with for the next; 2 unless given. */
  factor?: number;
  /** The longest pause, in milliseconds; 30,000 unless given. */
  maxPauseMs?: number;
  /** Whether a failure may pass by itself; every one unless given. */
  isTransient?: (error: unknown) => boolean;
  /** Called before each pause, for example to show why it is tried again. */
  onRetry?: (error: unknown, attempt: number) => void | Promise<void>;
}

/**
 * Does some work until it succeeds.
 *
 * @param work What to do; it gets the number of the attempt, from 1.
 * @param options How often, with which pauses.
 * @returns What the work has returned.
 * @throws {unknown} What the last attempt has thrown; the signal's reason when
 * it is aborted.
 *
 * @example
 * ```ts
 * import { retry } from "@baler/baler/builder";
 *
 * const { signal } = new AbortController();
 * const result = await retry((attempt) => {
 *   if (attempt < 3) throw new Error("not yet");
 *   return "done";
 * }, { signal, pauseMs: 1 });
 * console.assert(result === "done");
 * ```
 */
export async function retry<T>(
  work: (attempt: number) => T | Promise<T>,
  {
    signal,
    attempts = 5,
    pauseMs = 1_000,
    factor = 2,
    maxPauseMs = 30_000,
    isTransient = () => true,
    onRetry,
  }: RetryOptions,
): Promise<T> {
  for (let attempt = 1, pause = pauseMs;; attempt++) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      signal.throwIfAborted();
      if (attempt >= attempts || !isTransient(error)) throw error;
      await onRetry?.(error, attempt);
      await delay(pause, signal);
      pause = Math.min(pause * factor, maxPauseMs);
    }
  }
}

/** How {@linkcode poll} polls. */
export interface PollOptions {
  /** What is waited for, for the error: `"the image to be available"`. */
  what: string;
  /** Gives up when aborted. */
  signal: AbortSignal;
  /** How long to wait, in milliseconds. */
  timeoutMs: number;
  /** The pause between two looks, in milliseconds; 2,000 unless given. */
  intervalMs?: number;
}

/**
 * Looks again and again until there is something to see.
 *
 * @param look Returns `undefined` as long as there is nothing.
 * @param options What is waited for, how often and how long.
 * @returns What `look` has returned.
 * @throws {Error} When the time is over; what `look` has thrown; the signal's
 * reason when it is aborted.
 */
export async function poll<T>(
  look: () => T | undefined | Promise<T | undefined>,
  { what, signal, timeoutMs, intervalMs = 2_000 }: PollOptions,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    const left = end - performance.now();
    if (left <= 0) {
      throw new Error(`timeout: waited ${timeoutMs / 1000} s for ${what}`);
    }
    await delay(Math.min(intervalMs, left), signal);
  }
}

// Processor time, for tests that bound work: unlike the time of day, other processes do not stretch it.

/**
 * The processor time that this thread has used.
 *
 * @returns The time in milliseconds, in steps of 10; where the system does not have it (not Linux), the time of day.
 */
export function workingTime(): number {
  if (Deno.build.os !== "linux") return performance.now();
  const stat = Deno.readTextFileSync("/proc/thread-self/stat");
  // The name is in parentheses and may contain spaces; times are in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

// Cells of a matrix as steps of one test, side by side: most of their time they wait for a limit of
// time or for a process, and the machine can run only a limited number at once.

/** A step of a test. */
export interface Step {
  readonly name: string;
  fn(): Promise<void>;
}

/**
 * Runs steps side by side, each to its own end.
 *
 * @param test The test that they are steps of.
 * @param steps The steps.
 * @param atOnce How many run at a time.
 */
export async function sideBySide(
  test: Deno.TestContext,
  steps: Iterable<Step>,
  atOnce: number,
): Promise<void> {
  const left = Iterator.from(steps);
  const runSome = async () => {
    for (const step of left) {
      await test.step({
        ...step,
        // Each would be blamed for what another has open.
        sanitizeOps: false,
        sanitizeResources: false,
        sanitizeExit: false,
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
}

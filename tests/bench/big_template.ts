// A template with many builders, and five times as many provisioners.

/** Who gets the provisioners: every build all of them, or each its own five. */
export type Shape = "all" | "own";

/**
 * A template that validates.
 *
 * @param builders How many builders it has.
 * @param shape Who gets its provisioners.
 */
export function bigTemplate(builders: number, shape: Shape) {
  return {
    variables: { region: "north-1" },
    builders: Array.from({ length: builders }, (_, index) => ({
      type: "file",
      name: `b${index}`,
      content: "in {{user `region`}}",
      target: `${index}.txt`,
    })),
    provisioners: Array.from({ length: 5 * builders }, (_, index) => ({
      type: "shell-local",
      inline: [`echo ${index}`],
      ...shape === "own" && { only: [`b${index % builders}`] },
    })),
    "post-processors": ["manifest", [{ type: "compress" }, "checksum"]],
  };
}

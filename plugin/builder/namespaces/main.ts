// The program that a plugin which runs from source starts in namespaces; a
// compiled one starts itself.

import { runInside } from "./inside.ts";

if (import.meta.main) await runInside();

// The executable of the qemu builder.

import { serve } from "../../sdk/serve.ts";
import { QemuBuilder } from "./qemu_builder.ts";

if (import.meta.main) serve({ builder: { qemu: QemuBuilder } });

// The executable of the docker builder.

import { serve } from "../../sdk/serve.ts";
import { DockerBuilder } from "./docker_builder.ts";

if (import.meta.main) serve({ builder: { docker: DockerBuilder } });

#!/usr/bin/env python3
"""A baler builder in Python: writes a greeting to a file, and runs the provisioners.

It needs the standard library only. lib/ implements the wire of
docs/protocol.md; copy it as it is for a plugin of your own.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))

from connection import serve  # noqa: E402
from served import Served, listed  # noqa: E402
from values import JsError  # noqa: E402


class Greeting(Served):
    """The artifact: its public attributes and its listed methods are what the host sees."""

    def __init__(self, directory, file):
        self.builderId = "example.python"
        self.id = file
        self.files = [file]
        self._path = os.path.join(directory, file)

    def __str__(self):
        return f"A greeting in {self.id}"

    @listed
    def destroy(self):
        os.remove(self._path)


class Python(Served):
    """The builder. The interface is plugin/contract/builder.ts."""

    @listed
    def prepare(self, options):
        """Checks the configuration; problems carry the path of the key, from which the host finds the line."""
        config, build = options["config"], options["build"]
        problems = [
            {"path": [key], "message": f'unknown key "{key}"', "code": "unknown-key"}
            for key in config
            if key not in ("file", "whom")
        ]
        if not isinstance(config.get("file"), str):
            problems.append({"path": ["file"], "message": '"file" must be a string'})
        if problems:
            message = "\n".join(problem["message"] for problem in problems)
            raise JsError({"name": "ConfigError", "message": message, "problems": problems})
        self._file = config["file"]
        self._whom = config.get("whom", "world")
        self._directory = build["workingDirectory"]

    @listed
    async def run(self, options):
        """Builds. Calls of the ui and the hook run in the host, and are awaited like any other."""
        ui, hook, signal = options["ui"], options["hook"], options["signal"]
        await ui.say(f"Greeting {self._whom} from Python {sys.version.split()[0]}")
        artifact = Greeting(self._directory, self._file)
        with open(artifact._path, "w", encoding="utf-8") as file:
            file.write(f"Hello, {self._whom}!\n")
        try:
            await hook.run({"name": "provision", "ui": ui, "signal": signal})
        except BaseException:
            artifact.destroy()
            raise
        return artifact


serve({"builder": {"": Python}})

// Images that are pushed to a registry and pulled from it, with a login.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { forEachHost } from "../support/harness.ts";
import { dockerBench, missingPodman } from "../support/podman.ts";
import { Registry, registryPeer } from "../support/registry.ts";

const USER = "somebody";
const PASSWORD = "correct horse battery staple";

const registry = await registryPeer();

forEachHost(
  "docker-push pushes all tags, and the builder pulls, with a password that nobody sees",
  async (workspace) => {
    const { env, plugins, docker } = await dockerBench(workspace);
    await using server = await Registry.start(registry.path!, USER, PASSWORD);
    // A docker that records its arguments.
    const path = workspace.at("podman/bin/docker");
    await Deno.rename(path, `${path}-itself`);
    await workspace.write(
      "podman/bin/docker",
      `#!/bin/sh\necho "$@" >> ${
        workspace.at("arguments")
      }\nexec ${path}-itself "$@"\n`,
      { mode: 0o755 },
    );
    const login = {
      login: true,
      login_server: server.address,
      login_username: USER,
      login_password: PASSWORD,
    };
    const repository = `${server.address}/group/app`;
    const logged = { ...env, BALER_LOG: "1", PACKER_LOG: "1" };
    const pushed = await workspace.builds(
      {
        plugins,
        builders: [{
          type: "docker",
          image: "localhost/base",
          pull: false,
          commit: true,
        }],
        provisioners: [{ type: "shell", inline: ["echo made > /made"] }],
        "post-processors": [[
          { type: "docker-tag", repository, tags: ["1", "2"] },
          { type: "docker-push", ...login },
        ]],
      },
      [],
      { env: logged },
    );
    assertEquals(await server.tags("group/app", `${USER}:${PASSWORD}`), [
      "1",
      "2",
    ]);
    assertMatch(
      pushed.stdout,
      new RegExp(
        `--> docker: Imported Docker image: ${repository}:2 with tags ${repository}:1 ${repository}:2\n$`,
        "m",
      ),
    );

    await docker("rmi", "-f", `${repository}:1`, `${repository}:2`);
    const builder = {
      type: "docker",
      image: `${repository}:1`,
      discard: true,
      ...login,
    };
    const provisioners = [{
      type: "shell",
      inline: ["cat /made", "echo digest {{build `SourceImageDigest`}}"],
    }];
    const template = { plugins, builders: [builder], provisioners };
    const pulled = await workspace.builds(template, [], { env: logged });
    assertMatch(pulled.stdout, /docker: made\n/);
    assertMatch(
      pulled.stdout,
      new RegExp(`docker: digest ${repository}@sha256:[0-9a-f]{64}\n`),
    );

    // Who logs in does so for as long as the registry is used.
    await docker("rmi", "-f", `${repository}:1`);
    await workspace.write("template.json", {
      ...template,
      builders: [{ ...builder, login: false }],
    });
    const without = await workspace.baler(["build", "template.json"], { env });
    assertEquals(without.code, 1);
    assertMatch(
      without.output,
      /Error pulling Docker image: docker pull exited with 125/,
    );
    await workspace.write("template.json", {
      ...template,
      builders: [{ ...builder, login_password: `not ${PASSWORD}` }],
    });
    const wrong = await workspace.baler(["build", "template.json"], {
      env: logged,
    });
    assertMatch(wrong.output, /Error logging in: docker login exited with 125/);

    const told = pushed.output + pulled.output + wrong.output +
      await workspace.read("arguments");
    assert(/login -u somebody --password-stdin/.test(told));
    assert(!told.includes(PASSWORD), "the password is shown");
    await assertRejects(() => Deno.stat(`${workspace.home}/.docker`));
  },
  { ignore: missingPodman ?? registry.missing, limitMs: 300_000 },
);

forEachHost(
  "ecr_login gets the password from the AWS CLI, with the template's keys",
  async (workspace) => {
    const { env, plugins } = await dockerBench(workspace);
    await workspace.write(
      "stand-ins/aws",
      `#!/bin/sh\necho "$@ $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_PROFILE" >> ${
        workspace.at("aws")
      }\necho "  word  of \$2"\n`,
      { mode: 0o755 },
    );
    await workspace.write(
      "stand-ins/docker",
      `#!/bin/sh\necho "$@" >> ${
        workspace.at("docker")
      }\n[ "$1" != login ] || cat >> ${workspace.at("docker")}\nexit 3\n`,
      { mode: 0o755 },
    );
    for (
      const [server, asked] of [
        [
          "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
          "ecr get-login-password --region eu-west-1",
        ],
        [
          "public.ecr.aws/group",
          "ecr-public get-login-password --region us-east-1",
        ],
      ]
    ) {
      await workspace.write("template.json", {
        plugins,
        builders: [{
          type: "docker",
          image: "x",
          discard: true,
          ecr_login: true,
          login_server: server,
          aws_access_key: "AK",
          aws_secret_key: "secret key",
          aws_profile: "work",
        }],
      });
      const ended = await workspace.baler(["build", "template.json"], {
        env: { ...env, PATH: `${workspace.at("stand-ins")}:${env.PATH}` },
      });
      assertMatch(ended.output, /Fetching ECR credentials/);
      assertEquals(
        await workspace.read("aws"),
        `${asked} AK secret key work\n`,
      );
      assertEquals(
        await workspace.read("docker"),
        `login -u AWS --password-stdin ${server}\nword  of get-login-password`,
      );
      await Deno.remove(workspace.at("aws"));
      await Deno.remove(workspace.at("docker"));
    }
  },
  { ignore: missingPodman },
);

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { packageFolder } from "../../config/index.ts";
import type { Register } from "../command.ts";

/** The version of this installation, from the package that holds it. */
function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(join(packageFolder(), "package.json"), "utf8")) as {
    readonly version: string;
  };
  return manifest.version;
}

/** `version`: of the command line, and of the node when one answers. */
export const registerVersion: Register = (program, leaf) => {
  leaf(
    program,
    "version",
    { summary: "Print the versions of the command line and of the node", examples: ["astromeshctl version --json"] },
    async (session) => {
      const node = await session
        .client()
        .then((client) => client.health())
        .then((health) => health.version)
        // Without a node the command still knows its own version; `status` is the command that wants one.
        .catch(() => null);
      session.answer(
        { astromeshctl: ownVersion(), node },
        () => `astromeshctl ${ownVersion()}\nnode         ${node ?? `none at ${session.url}`}\n`,
      );
    },
  );
};

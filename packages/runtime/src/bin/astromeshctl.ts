import { processIo, runCli } from "../cli/index.ts";

process.exitCode = await runCli(process.argv.slice(2), processIo(), {
  // Loaded only when asked for: a node's parts take longer to load than most commands take to run.
  check: async (path) => {
    const { checkConfiguration } = await import("../node/index.ts");
    const flags = path === null ? {} : { config: path };
    return checkConfiguration({ flags, env: process.env, cwd: process.cwd() });
  },
});

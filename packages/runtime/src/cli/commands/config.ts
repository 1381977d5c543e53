import type { Register } from "../command.ts";
import { oneLine } from "../output/format.ts";
import { renderTable } from "../output/table.ts";
import { validateFiles } from "./validate-files.ts";

/** `config ..`: the settings of the node, and checking files before a node reads them. */
export const registerConfig: Register = (program, leaf) => {
  const group = program.command("config").description("Show a node's settings, check configuration files");
  leaf(
    group,
    "show",
    {
      summary: "Show the node's settings; secrets are hidden",
      examples: ["astromeshctl config show --origin", "astromeshctl config show --filter runs."],
    },
    async (session, _args, options) => {
      const filter = (options["filter"] as string | undefined) ?? "";
      const { settings } = await (await session.client()).config();
      const shown = settings.filter((setting) => setting.path.includes(filter));
      const origin = options["origin"] === true;
      session.answer(shown, () =>
        renderTable(session.io, {
          head: origin ? ["Setting", "Value", "Set by"] : ["Setting", "Value"],
          rows: shown.map((setting) => {
            const value = oneLine(JSON.stringify(setting.value), 60);
            return origin ? [setting.path, value, setting.origin] : [setting.path, value];
          }),
          empty: "No settings.",
        }),
      );
    },
  )
    .option("--origin", "say who set each: default, profile, file:line:col, variable or flag")
    .option("--filter <text>", "only settings whose name holds this text");
  leaf(
    group,
    "validate",
    {
      summary: "Check runtime.yaml, providers.yaml and the agents of a directory, without a node",
      examples: ["astromeshctl config validate", "astromeshctl config validate /etc/astromesh"],
    },
    (session, [path]) => validateFiles(session, path ?? null),
  ).argument("[path]", "the directory or file [where astromeshd would look]");
};

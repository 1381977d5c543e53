import { isJsonObject } from "../../core/index.ts";
import type { Json, JsonObject } from "../../core/index.ts";
import type { Register } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import { oneLine } from "../output/format.ts";
import { renderTable } from "../output/table.ts";

/** `tools ..`: what agents can do, and trying it by hand. */
export const registerTools: Register = (program, leaf) => {
  const group = program.command("tools").description("List tools and call one");
  leaf(
    group,
    "list",
    { summary: "List the tools and what repeating them does", examples: ["astromeshctl tools list"] },
    async (session) => {
      const list = await (await session.client()).tools.list();
      session.answer(list, () =>
        renderTable(session.io, {
          head: ["Name", "Source", "Effect", "Agents", "Description"],
          rows: list.tools.map((tool) => [
            tool.name,
            tool.source,
            tool.effect,
            oneLine(tool.agents.join(", "), 30),
            oneLine(tool.description, 60),
          ]),
          empty: "No tools.",
        }),
      );
    },
  );
  leaf(
    group,
    "call",
    {
      summary: "Call a tool by hand",
      examples: [`astromeshctl tools call calculator '{"expression": "2 + 3"}'`],
    },
    async (session, [name = "", text = "{}"], options) => {
      const agent = options["agent"] as string | undefined;
      const result = await (
        await session.client()
      ).tools.execute({ tool_name: name, arguments: parseArguments(text), ...(agent === undefined ? {} : { agent }) });
      session.answer(result, () =>
        typeof result.result === "string" ? `${result.result}\n` : `${JSON.stringify(result.result, null, 2)}\n`,
      );
    },
  )
    .argument("<name>", "the tool")
    .argument("[arguments]", "its arguments as a JSON object [{}]")
    .option("--agent <name>", "call it as this agent has it configured");
};

function parseArguments(text: string): JsonObject {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new CliError(EXIT.usage, `the arguments are not JSON: ${(cause as Error).message}`);
  }
  if (!isJsonObject(value)) throw new CliError(EXIT.usage, "the arguments must be a JSON object");
  return value;
}

import { AstromeshError } from "../../core/index.ts";
import type { Json } from "../../core/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";

/** Renders a template of Jinja's language in a sandbox, with `data` as its variable. */
export type RenderTemplate = (template: string, data: Json) => Promise<string>;

/** Reshapes data by a template. */
export function jsonTransform(render: RenderTemplate): ToolKind {
  return {
    name: "json_transform",
    description:
      "Reshapes data with a Jinja template that reads it as `data`. A result that is JSON comes back as data, any " +
      "other as text. The filter `tojson` writes a value as JSON.",
    parameters: objectSchema(
      {
        data: { description: "Any JSON value" },
        template: {
          type: "string",
          maxLength: 20_000,
          description:
            "Such as [{% for x in data.rows %}{{ x.id | tojson }}{% if not loop.last %},{% endif %}{% endfor %}]",
        },
      },
      ["data", "template"],
    ),
    config: objectSchema({}),
    timeoutMs: 10_000,
    effectOf: () => "read",
    execute: async (args) => {
      const text = await render(args["template"] as string, args["data"] ?? null).catch((thrown: unknown) => {
        // To the run a prompt that does not render is the end; here it is the model's own text, which it may mend.
        if (!(thrown instanceof AstromeshError) || thrown.code !== "prompt_invalid") throw thrown;
        throw new AstromeshError("tool_failed", thrown.message, { cause: thrown });
      });
      try {
        return { result: JSON.parse(text) as Json };
      } catch {
        return { result: text };
      }
    },
  };
}

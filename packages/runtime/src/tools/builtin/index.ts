import type { Clock } from "../../core/index.ts";
import type { CacheStore } from "../../core/ports/index.ts";
import type { Egress } from "../../net/index.ts";
import type { ToolKind } from "../tool-kind.ts";
import { cacheStore } from "./cache-store.ts";
import { calculator } from "./calculator.ts";
import { datetimeNow } from "./datetime-now.ts";
import { readFileTool, writeFileTool } from "./files.ts";
import { httpRequest } from "./http-request.ts";
import { jsonTransform } from "./json-transform.ts";
import type { RenderTemplate } from "./json-transform.ts";
import { sendWebhook } from "./webhook.ts";

export type { RenderTemplate } from "./json-transform.ts";
export { webhookTool } from "./webhook.ts";

/** What the builtin tools work with. */
export interface BuiltinDeps {
  readonly clock: Clock;
  readonly egress: Egress;
  readonly cache: CacheStore;
  readonly render: RenderTemplate;
  /** The folder of the file tools when an entry names none: `files/` in the node's data directory. */
  readonly filesDir: string;
}

/** The tools that every node has, sorted by name. */
export function builtinTools(deps: BuiltinDeps): readonly ToolKind[] {
  return [
    cacheStore(deps.cache, deps.clock),
    calculator,
    datetimeNow(deps.clock),
    httpRequest(deps.egress),
    jsonTransform(deps.render),
    readFileTool(deps.filesDir),
    sendWebhook(deps.egress, deps.clock),
    writeFileTool(deps.filesDir),
  ];
}

import { AstromeshError } from "../../core/index.ts";
import type { Json, JsonObject } from "../../core/index.ts";
import type { Egress } from "../../net/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";
import { HEADERS, headersNeedHosts, HTTP_CONFIG, resultOf, send } from "./http.ts";

const READING = ["GET", "HEAD", "OPTIONS"];

/** Sends an HTTP request. Any status is a result; only a request without an answer is a failure. */
export function httpRequest(egress: Egress): ToolKind {
  return {
    name: "http_request",
    description: "Sends an HTTP request and returns the status, the headers and the body of the answer.",
    parameters: objectSchema(
      {
        method: { enum: [...READING, "POST", "PUT", "PATCH", "DELETE"], description: "Default: GET" },
        url: { type: "string", minLength: 1, maxLength: 8_192, description: "http or https" },
        headers: HEADERS,
        body: { description: "Text is sent as it is, any other value as JSON" },
      },
      ["url"],
    ),
    config: objectSchema(HTTP_CONFIG),
    timeoutMs: 30_000,
    configFault: headersNeedHosts,
    effectOf: (config, args) => {
      if (args !== undefined && READING.includes(methodOf(args))) return "read";
      return config["idempotent"] === true ? "idempotent" : "once";
    },
    execute: async (args, config, scope) => {
      const method = methodOf(args);
      const { body, type } = bodyOf(args["body"]);
      if (body !== null && (method === "GET" || method === "HEAD")) {
        throw new AstromeshError("tool_invalid_arguments", `a ${method} request has no body`);
      }
      const headers = { ...type, ...(args["headers"] as JsonObject | undefined) };
      const call = { method, url: args["url"] as string, headers, ownHeaders: {}, body };
      return resultOf(await send(egress, call, config, scope));
    },
  };
}

function methodOf(args: JsonObject): string {
  return (args["method"] ?? "GET") as string;
}

function bodyOf(value: Json | undefined): { readonly body: string | null; readonly type: JsonObject } {
  if (value === undefined || value === null) return { body: null, type: {} };
  if (typeof value === "string") return { body: value, type: {} };
  return { body: JSON.stringify(value), type: { "content-type": "application/json" } };
}

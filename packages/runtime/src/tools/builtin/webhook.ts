import { createHmac } from "node:crypto";

import { AstromeshError } from "../../core/index.ts";
import type { Clock, JsonObject } from "../../core/index.ts";
import type { Egress } from "../../net/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";
import { HEADERS, headersNeedHosts, HTTP_CONFIG, resultOf, send } from "./http.ts";

const WEBHOOK_CONFIG: JsonObject = {
  ...HTTP_CONFIG,
  secret: { type: "string", minLength: 1, description: "Signs each call by the Standard Webhooks scheme" },
};

/** Sends a JSON payload to a URL that the model names. */
export function sendWebhook(egress: Egress, clock: Clock): ToolKind {
  return {
    name: "send_webhook",
    description: "Sends a JSON payload to a webhook. An answer other than 2xx is a failure.",
    parameters: objectSchema(
      {
        url: { type: "string", minLength: 1, maxLength: 8_192, description: "http or https" },
        payload: { description: "Any JSON value" },
        headers: HEADERS,
      },
      ["url", "payload"],
    ),
    config: objectSchema(WEBHOOK_CONFIG),
    timeoutMs: 30_000,
    configFault: headersNeedHosts,
    effectOf,
    execute: async (args, config, scope) => {
      const headers = (args["headers"] ?? {}) as JsonObject;
      const body = JSON.stringify(args["payload"] ?? null);
      const ownHeaders = signed(body, config, scope.idempotencyKey, clock);
      const call = { method: "POST", url: args["url"] as string, headers, ownHeaders, body };
      const answer = await send(egress, call, config, scope);
      if (answer.status < 200 || answer.status > 299) {
        throw new AstromeshError("tool_failed", `${answer.url} answered with status ${answer.status}`);
      }
      return { status: answer.status, delivered: true };
    },
  };
}

/** A tool of type `webhook`: the call's arguments go to the URL of the entry, its answer is the result. */
export function webhookTool(egress: Egress, clock: Clock, name: string): ToolKind {
  return {
    name,
    description: `Calls ${name}.`,
    parameters: { type: "object" },
    config: objectSchema({ ...WEBHOOK_CONFIG, url: { type: "string", minLength: 1 } }, ["url"]),
    timeoutMs: 30_000,
    effectOf,
    execute: async (args, config, scope) => {
      const body = JSON.stringify(args);
      const ownHeaders = signed(body, config, scope.idempotencyKey, clock);
      const call = { method: "POST", url: config["url"] as string, headers: {}, ownHeaders, body };
      const answer = await send(egress, call, config, scope);
      const { body: said = null } = resultOf(answer);
      if (answer.status >= 200 && answer.status <= 299) return said;
      const text = typeof said === "string" ? said : JSON.stringify(said);
      throw new AstromeshError(
        "tool_failed",
        `the webhook answered with status ${answer.status}: ${text.slice(0, 500)}`,
      );
    },
  };
}

function effectOf(config: JsonObject): "idempotent" | "once" {
  return config["idempotent"] === true ? "idempotent" : "once";
}

/**
 * The headers of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks): HMAC-SHA256 over
 * id, time and body. A secret that begins with `whsec_` is base64, any other is taken as it is.
 */
function signed(body: string, config: JsonObject, id: string, clock: Clock): Record<string, string> {
  const headers = { "content-type": "application/json" };
  const secret = config["secret"] as string | undefined;
  if (secret === undefined) return headers;
  const time = String(Math.floor(clock.now() / 1_000));
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret, "utf8");
  const signature = createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64");
  return { ...headers, "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${signature}` };
}

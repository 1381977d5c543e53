import { createRoute } from "@hono/zod-openapi";
import type { RouteConfig, z } from "@hono/zod-openapi";

import type { ErrorCode, Scope } from "../../core/index.ts";
import { errorBody } from "../../wire/index.ts";
import { REST_ERRORS } from "./errors.ts";

/** Who may call a route, and when. Declared with the route, shown in the document, and held by one middleware. */
export interface RouteRules {
  /** The scope that it asks for; `open` asks for none, not even a key. */
  readonly scope: Scope | "open";
  /** On a node without keys, only this machine may call it. Holds for scope `admin` without saying so. */
  readonly guarded?: boolean;
  /** It is answered while the node drains. */
  readonly whileDraining?: boolean;
  /** What it may fail with, besides what any route may. */
  readonly errors?: readonly ErrorCode[];
}

/** The member of a route that carries its rules; OpenAPI lets extensions begin with `x-`. */
export const RULES = "x-astromesh-access";

/** A route with its rules. */
export type RestRoute = RouteConfig & { readonly [RULES]: Omit<RouteRules, "errors"> };

const COMMON: readonly ErrorCode[] = [
  "unauthorized",
  "forbidden",
  "rate_limited",
  "internal",
  "draining",
  "store_unavailable",
];

/** Declares a route: OpenAPI's words for what goes in and out, and our rules. */
export function restRoute<R extends RouteConfig>(
  rules: RouteRules,
  config: R,
): R & { readonly [RULES]: Omit<RouteRules, "errors"> } {
  const { errors = [], ...access } = rules;
  const body = config.request?.body === undefined ? [] : BODY_ERRORS;
  const common = rules.scope === "open" ? [] : COMMON;
  return createRoute<string, R & { readonly [RULES]: Omit<RouteRules, "errors"> }>({
    ...config,
    ...(rules.scope === "open" ? {} : { security: [{ bearer: [] }, { apiKey: [] }] }),
    responses: {
      ...failures([...common, ...(hasInput(config) ? INPUT_ERRORS : []), ...body, ...errors]),
      ...config.responses,
    },
    [RULES]: access,
  });
}

const INPUT_ERRORS: readonly ErrorCode[] = ["invalid_request"];
const BODY_ERRORS: readonly ErrorCode[] = ["invalid_json", "payload_too_large", "unsupported_media_type"];

function hasInput(config: RouteConfig): boolean {
  return config.request?.body !== undefined || config.request?.query !== undefined;
}

/** The error answers of a route, by status. */
function failures(codes: readonly ErrorCode[]): RouteConfig["responses"] {
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of codes) {
    const { status } = REST_ERRORS[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, set]) => [
      status,
      {
        description: [...set].map((code) => `\`${code}\``).join(", "),
        content: { "application/json": { schema: errorBody } },
      },
    ]),
  );
}

/** A JSON answer. */
export function json<T extends z.ZodType>(
  schema: T,
  description: string,
): { description: string; content: { "application/json": { schema: T } } } {
  return { description, content: { "application/json": { schema } } };
}

/** A JSON body that must be there. */
export function jsonBody<T extends z.ZodType>(
  schema: T,
): { required: true; content: { "application/json": { schema: T } } } {
  return { required: true, content: { "application/json": { schema } } };
}

/** A JSON body that may be left out; its schema must accept an empty object. */
export function optionalBody<T extends z.ZodType>(schema: T): { content: { "application/json": { schema: T } } } {
  return { content: { "application/json": { schema } } };
}

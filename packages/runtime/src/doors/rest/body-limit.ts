import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

import { AstromeshError } from "../../core/index.ts";
import type { RestEnv } from "./context.ts";

/**
 * Refuses bodies over a limit. A body that says its length is judged by that alone, since Node reads no byte more;
 * one that comes in chunks is counted as it comes. Only then is the body read as a web stream, which is slow.
 */
export function limitBody(limitBytes: number): MiddlewareHandler<RestEnv> {
  const refuse = (): never => {
    throw new AstromeshError("payload_too_large", `the body is over ${limitBytes} bytes`);
  };
  const counted = bodyLimit({ maxSize: limitBytes, onError: refuse });
  return async (c, next) => {
    const length = c.req.header("content-length");
    if (length === undefined || c.req.header("transfer-encoding") !== undefined) return counted(c, next);
    if (Number(length) > limitBytes) refuse();
    return next();
  };
}

import { OpenAPIHono } from "@hono/zod-openapi";

import { logLine, runEventBody } from "../../wire/index.ts";
import { REST_ROUTES } from "./routes/index.ts";

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;

/** The OpenAPI document of the REST door, from the same schemas that validate its requests. */
export function restDocument(version: string): OpenApiDocument {
  const { openAPIRegistry, getOpenAPI31Document } = new OpenAPIHono();
  // Frames of event streams are no JSON bodies, so no route refers to these; clients want their types all the same.
  openAPIRegistry.register("RunEvent", runEventBody);
  openAPIRegistry.register("LogLine", logLine);
  openAPIRegistry.registerComponent("securitySchemes", "bearer", { type: "http", scheme: "bearer" });
  openAPIRegistry.registerComponent("securitySchemes", "apiKey", { type: "apiKey", in: "header", name: "X-API-Key" });
  for (const route of REST_ROUTES) openAPIRegistry.registerPath(route);
  return getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Astromesh",
      version,
      description: "Runs AI agents on one machine or on many. Errors are `{detail, code}`; codes never change meaning.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    servers: [{ url: "/" }],
  });
}

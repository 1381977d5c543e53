import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { routePath } from "hono/route";

import { AstromeshError } from "../../core/index.ts";
import { accessTo } from "./access.ts";
import { limitBody } from "./body-limit.ts";
import type { RestApp, RestContext, RestDeps, RestEnv, RestOptions } from "./context.ts";
import { serveDocs } from "./docs-page.ts";
import { restDocument } from "./document.ts";
import { invalidRequest, isDefect, toErrorAnswer } from "./errors.ts";
import { headerText } from "./header-text.ts";
import { serveRoutes } from "./routes/index.ts";
import { traceparentOf } from "./submission.ts";

/** The REST door: `fetch` for the HTTP server, `app` for tests and for other doors to mount on. */
export interface RestDoor {
  readonly fetch: RestApp["fetch"];
  readonly app: RestApp;
}

const DEFAULTS = { corsOrigins: [], bodyLimitBytes: 1_048_576, defaultWaitMs: 120_000, keepAliveMs: 15_000 };

/** Headers of ours that a page of an allowed origin may read. */
const EXPOSED = [
  "retry-after",
  "x-astromesh-inference-node",
  "x-astromesh-node",
  "x-astromesh-routed-to",
  "x-astromesh-run-id",
];

/** Makes the REST door over the ports it is given. Construction has no side effects. */
export function createRestDoor(deps: RestDeps, given: RestOptions): RestDoor {
  const options = { ...DEFAULTS, ...given, nodeName: headerText(given.nodeName) };
  const app: RestApp = new OpenAPIHono<RestEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error.issues);
    },
  });
  app.onError((error, c) => answerError(error, c, deps));
  app.notFound((c) => answerError(new AstromeshError("not_found", `no route ${c.req.path}`), c, deps));
  app.use(frame(deps, options.nodeName));
  if (options.corsOrigins.length > 0) app.use(crossOrigin(options.corsOrigins));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        const error = new AstromeshError("method_not_allowed", `${c.req.method} is not among ${methods.join(", ")}`);
        const response = answerError(error, c, deps);
        response.headers.set("allow", methods.join(", "));
        return response;
      },
    }),
  );
  const limit = limitBody(options.bodyLimitBytes);
  const context: RestContext = {
    deps,
    options,
    serve(route, handler) {
      const path = route.path.replaceAll(/\{(.+?)\}/g, ":$1");
      app.on(route.method, path, accessTo(route, deps));
      if (route.request?.body !== undefined) app.on(route.method, path, limit);
      app.openapi(route, handler);
    },
  };
  serveRoutes(context);
  serveDocument(app, options.version);
  serveDocs(app);
  if (deps.mounted !== undefined) app.route("/", deps.mounted);
  return { fetch: app.fetch, app };
}

/** Answers browsers that ask whether a page of another origin may call, and lets such pages read our headers. */
function crossOrigin(origins: readonly string[]): MiddlewareHandler<RestEnv> {
  return cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowHeaders: ["authorization", "content-type", "idempotency-key", "last-event-id", "traceparent", "x-api-key"],
    exposeHeaders: EXPOSED,
    maxAge: 600,
  });
}

/** The document is made once, when somebody asks for it. */
function serveDocument(app: RestApp, version: string): void {
  let document: ReturnType<typeof restDocument> | null = null;
  app.get("/openapi.json", (c) => c.json((document ??= restDocument(version))));
}

/** What stands around every answer: the node's name, and the facts for metrics. */
function frame(deps: RestDeps, nodeName: string): MiddlewareHandler<RestEnv> {
  return async (c, next) => {
    const startedAt = deps.clock.monotonic();
    try {
      await next();
    } catch (thrown) {
      // Hono hands errors to `onError` and lets anything else pass, such as the reason of an aborted signal.
      c.res = answerError(thrown, c, deps);
    }
    c.res.headers.set("x-astromesh-node", nodeName);
    deps.observe?.({
      method: c.req.method,
      route: matchedRoute(c),
      status: c.res.status,
      durationMs: deps.clock.monotonic() - startedAt,
    });
  };
}

/** The pattern of the route that answered, in the document's words; a metric must not have a label for every path. */
function matchedRoute(c: Context<RestEnv>): string {
  const path = routePath(c, -1);
  return path === "*" || path === "/*" ? "unmatched" : path.replaceAll(/:([^/]+)/g, "{$1}");
}

function answerError(thrown: unknown, c: Context<RestEnv>, deps: RestDeps): Response {
  const traceId = traceparentOf(c)?.split("-")[1] ?? deps.ids.trace();
  const answer = toErrorAnswer(thrown, traceId);
  // Whatever failed because the client has left is no defect, and nobody reads the answer.
  if (isDefect(answer.status) && !c.req.raw.signal.aborted) {
    deps.logger.error("a request failed", { traceId, method: c.req.method, path: c.req.path, error: thrown });
  }
  return c.json(answer.body, answer.status, answer.headers);
}

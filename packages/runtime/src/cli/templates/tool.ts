/** A program that serves one tool over HTTP: the call's arguments come as JSON, its answer is the tool's result. */
export function toolProgram(name: string): string {
  return `// The tool "${name}": agents call it by webhook. Start it:  TOOL_SECRET=change-me node ${name}.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const SECRET = process.env.TOOL_SECRET ?? "";
const PORT = Number(process.env.PORT ?? 8700);

/** The tool itself: gets the arguments, returns the result (any JSON value), throws to report a failure. */
async function run(args) {
  return { greeting: \`Hello, \${args.name}!\` };
}

/** Calls that were answered, by their key: a call that is repeated after a crash gets the same answer once more. */
const answered = new Map();

const server = createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces).toString("utf8");
  const send = (status, value) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  if (request.method !== "POST") return send(405, { error: "send a POST" });
  if (!isSigned(request.headers, body)) return send(401, { error: "the signature is wrong" });
  const key = request.headers["idempotency-key"];
  if (key !== undefined && answered.has(key)) return send(200, answered.get(key));
  try {
    const result = await run(JSON.parse(body));
    if (key !== undefined) answered.set(key, result);
    send(200, result);
  } catch (error) {
    send(422, { error: error.message });
  }
});

/** Checks the signature (https://www.standardwebhooks.com): nobody but our node may call this tool. */
function isSigned(headers, body) {
  if (SECRET === "") return true;
  const text = \`\${headers["webhook-id"]}.\${headers["webhook-timestamp"]}.\${body}\`;
  const expected = Buffer.from(\`v1,\${createHmac("sha256", SECRET).update(text).digest("base64")}\`);
  const given = Buffer.from(String(headers["webhook-signature"]));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

server.listen(PORT, "127.0.0.1", () => console.log(\`${name} listens on http://127.0.0.1:\${PORT}\`));
`;
}

/** The entry under \`tools:\` of an agent that offers it. */
export function toolEntry(name: string): string {
  return `    - name: ${name}
      type: webhook
      description: Greets somebody by name.
      parameters:
        type: object
        properties:
          name: { type: string }
        required: [name]
      config:
        url: http://127.0.0.1:8700/
        secret: \${TOOL_SECRET}
        allow_private: true
        idempotent: true
`;
}

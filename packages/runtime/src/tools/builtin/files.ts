import { resolve } from "node:path";

import { AstromeshError } from "../../core/index.ts";
import type { JsonObject } from "../../core/index.ts";
import { objectSchema } from "../tool-kind.ts";
import type { ToolKind } from "../tool-kind.ts";
import { readInside, writeInside } from "./file-root.ts";

const DEFAULT_READ_BYTES = 256 * 1024;
const DEFAULT_WRITE_BYTES = 1024 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;

const PATH = { type: "string", minLength: 1, maxLength: 4_096, description: "Relative to the tool's folder" };
const ENCODING = { enum: ["utf-8", "base64"], description: "Text, or base64 for any other content. Default: utf-8" };

function configSchema(defaultBytes: number): JsonObject {
  return objectSchema({
    root: {
      type: "string",
      minLength: 1,
      description: "The only folder that may be used; relative to the node's folder for files, which is the default",
    },
    max_bytes: { type: "integer", minimum: 1, maximum: MOST_BYTES, description: `Default: ${defaultBytes}` },
  });
}

function rootOf(filesDir: string, config: JsonObject): string {
  return resolve(filesDir, (config["root"] ?? ".") as string);
}

/** Reads a file under the root. */
export function readFileTool(filesDir: string): ToolKind {
  return {
    name: "read_file",
    description: "Reads a file from the folder that this tool may use.",
    parameters: objectSchema({ path: PATH, encoding: ENCODING }, ["path"]),
    config: configSchema(DEFAULT_READ_BYTES),
    timeoutMs: 10_000,
    effectOf: () => "read",
    execute: async (args, config) => {
      const path = args["path"] as string;
      const limit = (config["max_bytes"] ?? DEFAULT_READ_BYTES) as number;
      const bytes = await readInside(rootOf(filesDir, config), path, limit);
      const content = args["encoding"] === "base64" ? bytes.toString("base64") : asText(bytes, path);
      return { path, content, size_bytes: bytes.length };
    },
  };
}

/** Writes a file under the root. Writing the same again changes nothing, so the class is idempotent. */
export function writeFileTool(filesDir: string): ToolKind {
  return {
    name: "write_file",
    description: "Writes a file in the folder that this tool may use, replacing one of that name.",
    parameters: objectSchema({ path: PATH, content: { type: "string" }, encoding: ENCODING }, ["path", "content"]),
    config: configSchema(DEFAULT_WRITE_BYTES),
    timeoutMs: 10_000,
    effectOf: () => "idempotent",
    execute: async (args, config) => {
      const path = args["path"] as string;
      const content = args["content"] as string;
      const bytes = args["encoding"] === "base64" ? fromBase64(content) : Buffer.from(content, "utf8");
      const limit = (config["max_bytes"] ?? DEFAULT_WRITE_BYTES) as number;
      if (bytes.length > limit) {
        throw new AstromeshError("tool_failed", `the content has ${bytes.length} bytes; the limit is ${limit}`);
      }
      await writeInside(rootOf(filesDir, config), path, bytes);
      return { path, size_bytes: bytes.length };
    },
  };
}

function asText(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AstromeshError("tool_failed", `"${path}" is not UTF-8 text; read it with encoding base64`, { cause });
  }
}

function fromBase64(text: string): Buffer {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) {
    throw new AstromeshError("tool_invalid_arguments", '"content" is not base64');
  }
  return Buffer.from(text, "base64");
}

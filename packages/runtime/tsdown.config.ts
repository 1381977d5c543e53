import { defineConfig } from "tsdown";

/**
 * V8 keeps a program's text with two bytes a character as soon as one of them is beyond Latin-1, for as long as the
 * process lives: a few arrows and check marks would cost each node some megabytes.
 */
const latinOnly = {
  name: "latin-only",
  generateBundle(_options: unknown, bundle: Readonly<Record<string, { code?: string }>>): void {
    for (const file of Object.values(bundle)) {
      file.code &&= file.code.replaceAll(
        /[^\0-\u00FF]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  },
};

/**
 * The programs and the threads, each in one file with what it imports: a node loads some 1,500 small modules
 * otherwise, and that is most of its start. Threads stand where all common code does (`chunks/`), because they are
 * looked for beside the file that starts them.
 *
 * Not taken in: native code, and what looks for files beside its own.
 */
export default defineConfig({
  entry: {
    "bin/astromeshd": "src/bin/astromeshd.ts",
    "bin/astromeshctl": "src/bin/astromeshctl.ts",
    "chunks/writer-thread": "src/store/writer-thread.ts",
    "chunks/template-thread": "src/agents/template-thread.ts",
  },
  format: "esm",
  platform: "node",
  target: "node20",
  deps: {
    alwaysBundle: () => true,
    neverBundle: [
      "better-sqlite3",
      "@opentelemetry/semantic-conventions",
      "unix-dgram",
      "pg",
      "pg-native",
      "pino",
      "pino-pretty",
      "swagger-ui-dist",
    ],
  },
  outputOptions: {
    chunkFileNames: "chunks/[name]-[hash].js",
    comments: { legal: true, annotation: false, jsdoc: false },
  },
  plugins: [latinOnly],
  // Some libraries name their ES modules here only.
  inputOptions: { resolve: { mainFields: ["module", "main"] } },
  dts: false,
  sourcemap: true,
  clean: true,
  fixedExtension: false,
  logLevel: "warn",
});

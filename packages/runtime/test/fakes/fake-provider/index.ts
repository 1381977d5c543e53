/**
 * A fake model server: a real HTTP server on loopback that speaks Ollama's protocol (`/api/chat`, `/api/tags`,
 * `/api/show`, `/api/version`) and OpenAI's (`/v1/chat/completions`, `/v1/models`), streamed or not, and does what a
 * test tells it.
 *
 * - `startFakeProvider()` runs it in this process, `spawnFakeProvider()` in one of its own (it ends with its parent).
 *   Both give a `FakeProvider`; what is asked of it is asynchronous, so that a test works with either.
 * - What it answers is a script, in the language of the provider `scripted` (see src/models/script.ts): rules that
 *   match the conversation and give a reply, tool calls, delays or faults. Faults happen on the wire: an error status
 *   with Retry-After, a cut connection, silence, lines that are no JSON, a missing end mark. Without a script it says
 *   "ok". `down()` refuses connections, `up()` listens again on the same port.
 * - Gates hold an answer at a boundary. Each answer passes `request` (before its first byte), `token:0`, `token:1`, ..
 *   (before that token), `calls` (before its tool calls) and `end` (before its end mark). After `hold("token:2")`
 *   every answer stops there; `reached("token:2")` resolves when one has; `release("token:2")` lets all go on and
 *   opens the gate, `step("token:2")` lets one go on.
 * - It counts what it was asked: `requests()` in full, `count()` as a number, `repeated()` the idempotency keys that
 *   came more than once. An entry says whether the answer went out whole or the client left.
 * - Without delays and gates an answer is one write of a prepared text: more than 10,000 requests a second.
 *
 * ```ts
 * const fake = await startFakeProvider();
 * await fake.script({ rules: [{ match: "weather", tool_calls: [{ name: "get_weather" }] }, { reply: "done" }] });
 * await fake.hold("end");
 * // .. a run that calls fake.ollamaUrl or fake.openAiUrl ..
 * await fake.reached("end");
 * ```
 */
export { spawnFakeProvider } from "./remote.ts";
export { startFakeProvider } from "./server.ts";
export type { FakeProvider, FakeProviderOptions } from "./types.ts";

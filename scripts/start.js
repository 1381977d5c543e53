// `npm start`: builds what is not built yet, then starts a local node and stays up until Ctrl-C.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
if (!existsSync(`${root}packages/runtime/dist/bin/astromeshctl.js`)) {
  console.log("Building (once) ..");
  const built = spawnSync("npm", ["run", "build", "--silent"], { cwd: root, stdio: "inherit" });
  if (built.status !== 0) process.exit(built.status ?? 1);
}
process.argv.splice(2, 0, "up");
await import("../packages/runtime/bin/astromeshctl.js");

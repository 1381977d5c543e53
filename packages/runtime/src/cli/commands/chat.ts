import type { Register } from "../command.ts";
import { EXIT } from "../exit.ts";
import { ask, reportRun } from "./run.ts";

/** `chat NAME`: questions and answers in one session until the input ends. */
export const registerChat: Register = (program, leaf) => {
  leaf(
    program,
    "chat",
    {
      summary: "Talk with an agent in one session",
      examples: ["astromeshctl chat default", "astromeshctl chat support --session ses_01k.."],
    },
    async (session, [agent = ""], options) => {
      let sessionId = options["session"] as string | undefined;
      if (session.io.canAsk) session.io.err(session.style.dim("An empty line or Ctrl-D ends the chat.\n"));
      for (;;) {
        const line = await session.io.readLine(session.io.canAsk ? "> " : "");
        if (line === null || line.trim() === "") return EXIT.ok;
        const run = await ask(session, agent, line, { ...options, session: sessionId, stream: true });
        if (run.status !== "completed") return reportRun(session, run, true);
        sessionId = run.session_id;
      }
    },
  )
    .argument("<name>", "the agent")
    .option("--session <id>", "go on with this session [a new one]")
    .option("--timeout <duration>", "how long to wait for an answer [2m]");
};

import type { AgentDefinition } from "../agent.ts";
import type { Message } from "../message.ts";
import type { Run } from "../run.ts";

/** Builds the opening of a run's thread: system prompt, recalled history, the user's message. */
export interface ContextBuilder {
  /** Rejects with `prompt_invalid` (naming the template and line) when a template does not render. */
  build(request: {
    readonly definition: AgentDefinition;
    readonly run: Run;
    readonly thread: string;
  }): Promise<readonly Message[]>;
}

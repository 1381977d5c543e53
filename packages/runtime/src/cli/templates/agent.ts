import { DEFAULT_MODELS } from "./providers.ts";
import type { InitProvider } from "./providers.ts";

/** An agent file that runs as it is. */
export function agentFile(options: {
  readonly name: string;
  readonly provider: InitProvider;
  readonly model?: string;
  readonly description?: string;
  readonly tools: boolean;
}): string {
  const model = options.model ?? DEFAULT_MODELS[options.provider];
  const description = options.description ?? "Answers questions and uses a calculator and a clock.";
  return `apiVersion: astromesh/v1
kind: Agent
metadata:
  name: ${options.name}
  version: 1.0.0
spec:
  identity:
    display_name: ${JSON.stringify(options.name)}
    description: ${JSON.stringify(description)}
  model:
    primary:
      provider: ${options.provider}
      model: ${JSON.stringify(model)}
  prompts:
    system: |
      You are {{ agent.display_name }}, a helpful assistant. Be brief.
      Use a tool when it makes the answer surer.
  orchestration:
    pattern: react
    max_iterations: 10
${
  options.tools
    ? `  tools:
    - name: calculator
      type: builtin
    - name: datetime_now
      type: builtin
`
    : ""
}  memory:
    conversational:
      strategy: sliding_window
      max_turns: 20
`;
}

import type { Register } from "../command.ts";
import { oneLine } from "../output/format.ts";
import { renderTable } from "../output/table.ts";

/** `providers list`: the model providers as the node sees them now. */
export const registerProviders: Register = (program, leaf) => {
  const group = program.command("providers").description("Look at model providers");
  leaf(
    group,
    "list",
    { summary: "List model providers and how they do", examples: ["astromeshctl providers list"] },
    async (session) => {
      const list = await (await session.client()).providers();
      session.answer(list, () =>
        renderTable(session.io, {
          head: ["Name", "Type", "Endpoint", "Status", "Breaker", "Models"],
          rows: list.providers.map((provider) => [
            provider.name,
            provider.type,
            provider.endpoint ?? "-",
            provider.ok ? session.style.good("ok") : session.style.bad(oneLine(provider.message, 50)),
            provider.breaker,
            oneLine(provider.models.join(", "), 40),
          ]),
          empty: "No providers.",
        }),
      );
    },
  );
};

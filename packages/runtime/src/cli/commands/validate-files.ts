import { EXIT } from "../exit.ts";
import type { Session } from "../session.ts";

/** Checks configuration files without a node and tells what was found; what `config` and `agents validate` do. */
export async function validateFiles(session: Session, path: string | null): Promise<number> {
  const report = await session.local.check(path);
  const { style } = session;
  session.answer(report, () =>
    [
      ...report.errors.map((error) => `${style.bad("✗")} ${error}\n`),
      ...report.warnings.map((warning) => `${style.warn("!")} ${warning}\n`),
      ...report.notices.map((notice) => `${style.dim(`· ${notice}`)}\n`),
      report.errors.length === 0
        ? `${style.good("valid")}: ${report.agents.length} agents (${report.agents.join(", ")})\n`
        : `${style.bad("not valid")}: ${report.errors.length} error${report.errors.length === 1 ? "" : "s"}\n`,
    ].join(""),
  );
  return report.errors.length === 0 ? EXIT.ok : EXIT.usage;
}

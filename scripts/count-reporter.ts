import type { Reporter, TestModule } from "vitest/node";

/**
 * Names what was skipped, because the machine lacks what it needs, and prints the closing line
 * `N passed, N failed, N skipped`, which any reader of the output can count on.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const skipped = new Map<string, number>();
    for (const module of modules) {
      if (module.children.size === 0 && module.errors().length > 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state] += 1;
        if (state !== "skipped") continue;
        const name = `${module.relativeModuleId} > ${test.parent.type === "suite" ? test.parent.fullName : test.name}`;
        skipped.set(name, (skipped.get(name) ?? 0) + 1);
      }
    }
    for (const [name, count] of skipped) console.log(`skipped: ${name} (${count})`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped + counts.pending} skipped`);
  }
}

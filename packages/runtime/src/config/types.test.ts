import { expectTypeOf, test } from "vitest";

import type {
  AgentSchedule,
  ConversationalMemory,
  EffectClass,
  PatternName,
  RoutingStrategy,
  Services,
  StaticPeer,
  ToolEntry,
  ToolSource,
} from "../core/index.ts";
import type { Retention } from "../core/ports/index.ts";
import type { AgentSpec } from "./agent-schema.ts";
import type { ApiKey } from "./environment-reader.ts";
import type { RunsConfig } from "./node-config.ts";
import type { RuntimeSpec } from "./runtime-schema.ts";

// Checked by the compiler: a word that core knows and the schemas do not, or the other way round, is a type error.
// (That every field has its counterpart is held by toDefinition and toNodeConfig, which build core's types.)
test("the schemas know exactly core's words", () => {
  type Tool = AgentSpec["tools"][number];
  type Memory = NonNullable<AgentSpec["memory"]["conversational"]>;
  expectTypeOf<Tool["type"]>().toEqualTypeOf<ToolSource>();
  expectTypeOf<NonNullable<Tool["effect"]>>().toEqualTypeOf<EffectClass>();
  expectTypeOf<Tool["approval"]>().toEqualTypeOf<ToolEntry["approval"]>();
  expectTypeOf<Memory["backend"]>().toEqualTypeOf<ConversationalMemory["backend"]>();
  expectTypeOf<Memory["strategy"]>().toEqualTypeOf<ConversationalMemory["strategy"]>();
  expectTypeOf<NonNullable<AgentSpec["orchestration"]["pattern"]>>().toEqualTypeOf<PatternName>();
  expectTypeOf<NonNullable<AgentSpec["model"]["routing"]["strategy"]>>().toEqualTypeOf<RoutingStrategy>();
  expectTypeOf<keyof AgentSpec["schedules"][number]>().toEqualTypeOf<keyof AgentSchedule>();
});

test("settings fit core's types without optionals", () => {
  expectTypeOf<RuntimeSpec["services"]>().toEqualTypeOf<{ -readonly [K in keyof Services]: Services[K] }>();
  expectTypeOf<RuntimeSpec["peers"][number]>().toExtend<StaticPeer>();
  expectTypeOf<RuntimeSpec["api"]["auth"]["keys"][number]>().toExtend<ApiKey>();
  expectTypeOf<RunsConfig["retention"]>().toEqualTypeOf<Retention>();
});

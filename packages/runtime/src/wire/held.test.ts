/** Holds the wire's words and core's together: a status, event or code that only one of them knows does not compile. */
import { expectTypeOf, it } from "vitest";
import type { z } from "zod";

import type { EffectClass, ErrorCode, RunEvent, RunStatus, StopReason, ToolSource, WaitReason } from "../core/index.ts";
import type { JournalRecord, ProviderStatus, RecordKind, RecordPhase, TimelineSpan } from "../core/ports/index.ts";
import type {
  effectClass,
  errorCode,
  JournalBody,
  providerList,
  RunEventBody,
  runStatus,
  stopReason,
  toolSource,
  traceBody,
  waitReason,
} from "./index.ts";

type Record = JournalBody["records"][number];

it("has the same words on both sides", () => {
  expectTypeOf<z.infer<typeof runStatus>>().toEqualTypeOf<RunStatus>();
  expectTypeOf<z.infer<typeof stopReason>>().toEqualTypeOf<StopReason>();
  expectTypeOf<z.infer<typeof waitReason>>().toEqualTypeOf<WaitReason>();
  expectTypeOf<z.infer<typeof errorCode>>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<z.infer<typeof effectClass>>().toEqualTypeOf<EffectClass>();
  expectTypeOf<z.infer<typeof toolSource>>().toEqualTypeOf<ToolSource>();
  expectTypeOf<RunEventBody["type"]>().toEqualTypeOf<RunEvent["type"]>();
  expectTypeOf<Record["kind"]>().toEqualTypeOf<RecordKind>();
  expectTypeOf<Record["phase"]>().toEqualTypeOf<RecordPhase>();
  expectTypeOf<Record["effect_class"]>().toEqualTypeOf<JournalRecord["effectClass"]>();
  expectTypeOf<z.infer<typeof traceBody>["spans"][number]["status"]>().toEqualTypeOf<TimelineSpan["status"]>();
  expectTypeOf<z.infer<typeof providerList>["providers"][number]["breaker"]>().toEqualTypeOf<
    ProviderStatus["breaker"]
  >();
});

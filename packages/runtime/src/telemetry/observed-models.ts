import type { Clock } from "../core/index.ts";
import { toAstromeshError } from "../core/index.ts";
import type { ModelCallEvent, ModelGateway } from "../core/ports/index.ts";
import { GENAI, GENAI_OPERATIONS, SEMCONV } from "./genai.ts";
import type { Metrics } from "./metrics.ts";

/** The labels of one candidate's part of a call. */
interface ModelLabels {
  readonly "gen_ai.operation.name": string;
  readonly "gen_ai.provider.name": string;
  readonly "gen_ai.request.model": string;
}

/** Puts the model metrics around a gateway; what it says goes through unchanged. */
export function observeModels(
  gateway: ModelGateway,
  deps: { readonly metrics: Metrics; readonly clock: Pick<Clock, "monotonic"> },
): ModelGateway {
  return {
    async *call(call, signal) {
      const meter = createCallMeter(deps.metrics, deps.clock);
      try {
        for await (const event of gateway.call(call, signal)) {
          meter.saw(event);
          yield event;
        }
      } catch (error) {
        meter.failed(toAstromeshError(error).code);
        throw error;
      }
    },
  };
}

/** Times each candidate apart: a fallback's time does not count as the first one's. */
function createCallMeter(metrics: Metrics, clock: Pick<Clock, "monotonic">) {
  let labels: ModelLabels | null = null;
  let startedMs = 0;
  let spoke = false;

  const ended = (errorType: string): void => {
    if (labels === null) return;
    metrics.modelDuration.recordMs(clock.monotonic() - startedMs, { ...labels, [SEMCONV.errorType]: errorType });
    labels = null;
  };

  return {
    failed: ended,
    saw(event: ModelCallEvent): void {
      if (event.type === "candidate") {
        ended("model_unavailable");
        labels = labelsOf(event);
        startedMs = clock.monotonic();
        spoke = false;
      } else if (event.type === "retract") {
        ended("model_stream_broken");
      } else if (event.type === "finish") {
        const own = labels ?? labelsOf(event);
        const { inputTokens, outputTokens, costUsd } = event.usage;
        metrics.modelTokens.record(inputTokens, { ...own, [GENAI.tokenType]: "input" });
        metrics.modelTokens.record(outputTokens, { ...own, [GENAI.tokenType]: "output" });
        if (costUsd !== null && costUsd > 0) {
          metrics.modelCost.add(costUsd, {
            [GENAI.provider]: event.provider,
            [GENAI.requestModel]: event.model,
          });
        }
        ended("");
      } else if (!spoke && labels !== null) {
        spoke = true;
        metrics.modelFirstToken.recordMs(clock.monotonic() - startedMs, labels);
      }
    },
  };
}

function labelsOf(event: { readonly provider: string; readonly model: string }): ModelLabels {
  return {
    [GENAI.operation]: GENAI_OPERATIONS.chat,
    [GENAI.provider]: event.provider,
    [GENAI.requestModel]: event.model,
  };
}
